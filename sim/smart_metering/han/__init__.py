"""The HAN of a smart meter gateway: what a household sees of it, over TLS with a password or a certificate.

    holding       what a gateway shows, as it is at one instant; gateway_source makes it of a SmartGateway
    role_matrix   who may see what: the matrix of roles and things, and the one place where it is asked
    han_accounts  who can log in; wrong passwords are counted, and lock an account
    http_digest   HTTP Digest (RFC 7616), SHA-256 and MD5
    sessions      how long a login lasts
    han           a request to an answer: login, session, dialect; no socket
    han_server    the same on a port, in TLS
    han_client    a consumer's own program: it checks the gateway, or does not
    dialects/     what makers' devices speak, a file each; and the display page that every gateway has
    export        readings as a signed container, and their check
    bill_check    a bill worked out again from signed values
    inverter, cls_channel, cls_profile   a controllable system behind the gateway, reached through its proxy

A household is a consumer; its readings, registers and log are its own. A service technician sees the gateway's state
and nothing else. Nobody changes anything here.
"""
