"""The city: the same world as data, carried as arrays from one end to the other, for capacity planners.

    plan      what is asked for, what is refused, how the site is cut into shards
    shard     one shard on the engine, window by window, exact at its edges
    upcoming  a fleet's frames, window by window
    tally     what each block of the site sent, and what was heard of it
    kernels   small compiled loops; digest: names of sets that depend on no order
    bundles   the gateways as arrays: what was heard goes into bundles
    readings  take by take: bundles, telegrams, portal, and the truth held against what it stored
    truth     is a stored reading what the meter said
    columns   what was stored, as Parquet files
    workers   processes that play shards, and end with the one that began them
    run       shards one after the other or in processes, and their results put together
"""
