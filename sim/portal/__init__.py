"""The portal: the only holder of keys. A reference system under test whose every defence can be switched off.

One telegram, a window of the world and a shard of a city go the same way; each telegram's bytes are opened once:

    messages         topics, bundles and births in; a reception_batch out
    intake           a batch in, verdicts out:
        frame_scan       whose telegram, which mode          meter_table       registry and keys as arrays
        sort_by_meter    receptions by meter and time        decrypt_batch     what it says, in bulk; what is strange:
        record_templates where values stand, from bytes      opener            one telegram at a time; interpret: values
        copies           equal bytes, heard at once          freshness         the checks put together
                                                             gateway_clock    whose clock is wrong
    verdicts         what can become of a telegram; reasons: why it is no reading
    stored_columns   what a stored reading says, as columns
    verdict_rows     verdicts as rows: readings, refusals in words, sightings
    evidence_quota   how much evidence is kept of each sender
    quarantine       which telegrams cannot be handled, found by halving
    portal           one transaction a take, then acknowledgements

    check            the port of a check; checks/: one file a check; window: which values were seen
    alarm            the port of an alarm; alarms/: one file an alarm; episodes, silence: what they share
    store_port       the port of a store; store/: one file a store
    portal_spec      [portal] of a world
    keyring          meter keys, in memory and as a list in clear (a file of mode 0600)
    key_store        meter keys at rest: wrapped, in partitions; key_formats: lists of other programs
    meter_registry   which meters exist, what each must look like, who lives where, which gateways hear it
    roles            what tenant, landlord and operator may see
"""
