"""The portal: the only holder of keys. A reference system under test whose every defence can be switched off.

    portal_spec     [portal] of a world
    reasons         why a telegram is not a reading: the vocabulary
    keyring         meter keys (a file of mode 0600)
    meter_registry  which meters exist, what each must look like, who lives where, which gateways hear it
    store           SQLite: readings, refusals, evidence, freshness state, alarms; the `billing` view
    interpret       data records -> a reading's values
    window          which counters and times were seen
    freshness       bind, mcr, acc, ts, age: is this telegram new
    judge           one telegram: whose, as agreed, authentic, readable, new
    alarms          tamper, gap, freshness, twin, jam
    intake          messages in, one transaction, acknowledgements out
    roles           what tenant, landlord and operator may see

For very many meters at once, with the verdicts of the above, as arrays:

    meter_table      registry and keys       reception_batch   what gateways hand over
    frame_scan       whose telegram, which mode; decrypt_batch: what it says
    record_templates where values stand, learned from bytes
    sort_by_meter    receptions by meter and time
    freshness_many   the five checks         intake_many       batches in, columns out
"""
