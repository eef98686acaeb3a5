"""The portal: the only holder of keys. A reference system under test whose every defence can be switched off.

    keyring    meter keys (a file of mode 0600)
    registry   which meters exist, what each must look like, who lives where, which gateways hear it
    intake     messages in, telegrams judged, readings out
    freshness  acc, ts, mcr, age, bind: is this telegram new
    store      SQLite: readings, refusals, freshness state, in one transaction a message
    alarms     tamper, gap, freshness, twin, jam
    roles      what tenant, landlord and operator may see
"""
