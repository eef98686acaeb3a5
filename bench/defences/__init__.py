"""`./wmbench defences`: the smallest sets of the portal's switches under which no attack of the list succeeds, and what
each set costs in genuine telegrams.
"""
