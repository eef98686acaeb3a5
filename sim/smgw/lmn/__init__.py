"""The wired meter bus (LMN on EIA-485), sans I/O: frames, octets and values; nothing here opens a terminal.

    bus          addresses: the gateway asks, meters answer in drawn slots
    bus_link     one gateway and one meter: octets in both directions, repeated until they are acknowledged
    sml_stream   SML files out of a stream of octets
    exchange     what is said in SML: pushed lists, lists that are asked for, a meter's own load profile
    first_key    a meter's first key pair, sent to it under the key that its maker gave it

TLS between the two ends, a gateway's store and meters in a world are in sim/smart_metering/lmn. The guideline that
fixes this bus could not be opened: addresses, what is spoken under which of them, and the use of HDLC's normal response
mode for everything but addressing are of this model.
"""
