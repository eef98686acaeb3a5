"""The city: the same world as data, carried as arrays from one end to the other, for capacity planners.

    plan             what is asked for, what is refused, how the site is cut into shards
    shard            one shard on the engine, window by window, exact at its edges
    next_frames      a fleet's frames, window by window
    own_frames       which of them are the shard's own (compiled)
    per_block        what each block of the site sent, and what was heard of it
    digest           names of sets that depend on no order
    shard_bundles    the gateways as arrays: what was heard goes into bundles
    stored_readings  take by take: bundles, telegrams, portal, and the truth held against what it stored
    columns          what was stored, as Parquet files
    workers          processes that play shards, and end with the one that began them
    conduct          shards one after the other or in processes, and their results put together
    warm_up          a small city that calls everything compiled once
"""
