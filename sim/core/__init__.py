"""What every room of the world uses.

clock      what world time is; the wall's door    virtual_clock  world time on SimPy
seeds      every draw; the door to randomness
events     what can happen                        history   what happened, and its digest
settings   settings from TOML, checked            parts     parts found by folder
vocabulary words that several rooms use           bundle    the format of a bundle, of acknowledgements and births
parent     processes that end with their parent               crc16     CRC-16 of serial lines
refused    refusals with a stable code
whole_file files that are there whole or not at all             digits    whole numbers that bytes from outside write
"""
