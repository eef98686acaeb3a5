"""The WAN of smart meter gateways on real sockets: TLS 1.2, both sides certified, connections from inside only.

    tls      the one kind of connection there is, and who is at its other end
    server   an administrator or a participant, listening
    answers  what each of them answers, by who asks
    renewal  how a gateway's next keys pass on it
    calls    a gateway's or an administrator's way to one
    talk     a conversation in cells; http_messages: what is in it; cell_sockets: over sockets
    world_line  a gateway's line inside a world: the same in real TLS, and no socket
    relaying how a world hands containers on over it
    waker    a port that never answers
    serve    one of these as a program of its own

Objects are named by paths as COSEM's are by logical devices and names; the layout is this model's: the guideline that
fixes one could not be opened.
"""
