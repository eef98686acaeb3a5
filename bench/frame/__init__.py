"""./wmbench frame: telegrams by themselves. frame_command has the parser; decode, encode, sample, iq_file, hex_text."""
