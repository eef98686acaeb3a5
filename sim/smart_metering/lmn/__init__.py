"""Meters with sessions of TLS and their gateway's side: on a wired bus, in a world and over a terminal, and by radio.

Frames, links and SML are sim/smgw/hdlc and sim/smgw/lmn.
"""
