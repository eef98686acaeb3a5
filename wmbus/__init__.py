"""Wireless M-Bus, sans I/O: bytes in, telegrams out.  Opens nothing, waits for nothing, imports nothing of ours.

Bottom first:

    errors     BadTelegram (theirs) with its reason codes, CannotEncode (ours)
    link       L, C and the address; CRC; frame formats A and B
    ell        extended link layer I-IV
    afl        authentication and fragmentation layer
    transport  CI, long and short headers, configuration word
    security   the only door to ciphers: modes 5, 7, 10, AES-CTR, CMAC, key derivation
    dates      types F, G, I, J
    vif        what a VIF and its extensions mean: quantity, unit, power of ten
    dif        the DIF/VIF chain of one record, parsed once and remembered
    values     the bytes of one value, in both directions
    records    a payload as data records
    profiles   compact and inverse compact profiles as points in time
    compact    compact frames and the formats they need
    dissect    a telegram taken apart as far as that goes without a key
    receiver   unlock, with every leniency a named switch
    reading    frame to records in one go
    sender     build and seal
    fragments  messages longer than a frame
    explain    a telegram byte by byte, for people
    as_json    a telegram as one object, for programs
    as_lines   many of them as lines of text
    telegram   the door most callers use: parse, unlock, read, build
    phy/       the radio: chips of T1, C1, S1 and back, and IQ samples
"""
