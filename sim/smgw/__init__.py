"""The smart meter gateway of the BSI, sans I/O: it decrypts, stores and tariffs itself, and only billing values leave.

    refusals         what cannot be used, with the clause of this model, or a reason and an offset
    obis_codes       value groups A to F, written as 0100010800ff or 1-0:1.8.0*255
    german_time      local time and the days of 23 and 25 hours
    status_words     words of gateway and meter, and the PTB status that they mean
    metrology        values as they are captured: plausible, in time, with a status
    rule_set         what the administrator sends: a tariff use case (TAF), zones, dates
    tariff_zones     which zone rules when
    tariff_engine    differences between valid readings, added up by zone; arrays of many meters
    use_cases        what leaves under TAF 1, 2, 6, 7, 9, 10 and 14
    tariff_rows      rules and readings as JSON rows
    hdlc             frames of the wired meter bus
    lmn/             the bus itself: addresses, links, what is said in SML, a meter's first key
    sml_octets       SML 1.04: types and lengths
    sml_schema       which fields each message has
    sml_file         escape sequences, messages and their CRCs, values
    delivered_content  what a final receiver finds in a container
    wake_up          the administrator's one datagram
    module/          private keys that are made inside and never leave

Content security and certificates are beside the other keys, in sim/pki. Limits: docs/models/smgw.md.
"""
