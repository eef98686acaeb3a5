"""`./wmbench defences`: the smallest sets of the portal's switches under which no attack of the list succeeds, and what
each set costs in genuine telegrams.

switches           the portal's defences as a set, and the portal of a set
trace              one run of a scenario whose messages are taken again by portals with other switches
smallest_sets      the search: what must be hit, and by how few
price              genuine telegrams refused under drift, buffering, late delivery and odd field telegrams
defences_command   the verb
"""
