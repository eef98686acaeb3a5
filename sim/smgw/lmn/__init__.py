"""The wired meter bus (LMN on EIA-485), sans I/O: frames, octets and values; nothing here opens a terminal.

TLS between the two ends, a gateway's store and meters in a world are in sim/smart_metering/lmn. The guideline that
fixes this bus could not be opened: addresses, what is spoken under which of them, and the use of HDLC's normal response
mode for everything but addressing are of this model.
"""
