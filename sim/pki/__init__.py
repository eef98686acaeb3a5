"""Keys that are not meters': what certifies, signs, seals and wraps.

    authority        a root, device certificates, revocation lists
    device_requests  a device's own key, and the request that another authority signs
    statements       what one party signs and others verify, without certificates
    wrapping         keys under other keys, as they lie at rest
    server_certificate  what a server's certificate says
    der              ASN.1 in its one form
    content_ciphers  ciphers of content for one receiver
    sealed_content   CMS AuthEnvelopedData   signed_content  CMS SignedData around it
    slot_keys        one private key of a security module   pace  two sides pair by a short password
    sm_keys          certificates and keys of these from files   sm_lint  certificates of the SM-PKI, rule by rule
    sm_forms         certificates of the SM-PKI as they are to be   sm_authorities  root, sub-CAs, lists, links
    sm_triples       requests for three certificates, and who may make them   sm_chain  whether a certificate holds
    party_certificates  the SM-PKI of a world or of a few programs
"""
