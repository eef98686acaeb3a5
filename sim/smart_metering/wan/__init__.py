"""The WAN of smart meter gateways on real sockets: TLS 1.2, both sides certified, connections from inside only.

Objects are named by paths as COSEM's are by logical devices and names; the layout is this model's: the guideline that
fixes one could not be opened.
"""
