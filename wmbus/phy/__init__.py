"""The radio layer (EN 13757-4), still sans I/O: frames as chips and back, chips as IQ samples.

codes    3-of-6 and Manchester
modes    T1, C1 format A and B, S1, S1-m: preamble, sync word, rate, air time; frame -> chips -> frame
iq       2-FSK at any sample rate, several emissions mixed, noise; cu8, cs8, cs16, cf32 bytes
iq_stream  the same without an end, block by block
rtl_tcp  the protocol in which programs take IQ from a stick over the network
"""
