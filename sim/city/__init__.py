"""The city: the same world as data, carried as arrays from one end to the other, for capacity planners.

    plan      what is asked for, what is refused, how the site is cut into shards
    shard     one shard on the engine, window by window, exact at its edges
    tally     what each block of the site sent, and what was heard of it
    kernels   small compiled loops; digest: names of sets that depend on no order
    run       shards one after the other or in processes, and their results put together
"""
