"""What every room of the world uses.

clock      world time; the door to wall time      seeds     every draw; the door to randomness
events     what can happen                        history   what happened, and its digest
settings   settings from TOML, checked            parts     parts found by folder
vocabulary words that several rooms use           bundle    the format of a bundle, of acknowledgements and births
"""
