"""The HAN of a smart meter gateway: what a household sees of it, over TLS with a password or a certificate.

A household is a consumer; its readings, registers and log are its own. A service technician sees the gateway's state
and nothing else. Nobody changes anything here.
"""
