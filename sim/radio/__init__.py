"""The air. Emissions in; receptions out, and one reason for every loss.

    modes        T1, C1, S1: rates, preambles, air time, channel
    propagation  path loss, shadowing, fading; powers as exact integers
    site         where meters and gateways are
    air          the medium as the world sees it
    reference    the event-by-event SimPy model: the oracle
"""
