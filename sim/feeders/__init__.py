"""Feeders: how frames that end on the air reach a real gateway, as its own receiver would hand them over.

port     what a feeder is, what it is fed, what it says of itself
kinds/   one file a kind: a format of sim.lines on a line
lines/   one file a kind of line: pseudo terminal, serial port, TCP, pipe, file, HTTP, MQTT
"""
