"""Keys that are not meters': what certifies, signs and wraps.

    authority    a root, device certificates, revocation lists
    statements   what one party signs and others verify, without certificates
    wrapping     keys under other keys, as they lie at rest
"""
