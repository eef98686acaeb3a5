"""The air. Emissions in; receptions out, and one reason for every loss.

    modes        T1, C1, S1: rates, preambles, air time, channel
    propagation  path loss, shadowing, fading; powers as exact integers
    site         where meters and gateways are
    links        who reaches whom, and at what level
    schedule     what a fleet sends in a window; one emission as others see it
    listener     what happens to a frame at one receiver: the rules
    reference    the event-by-event SimPy model: the oracle
    air          the medium as the world sees it

What is modelled and what is not, and what it was held against: docs/models/air.md.
"""
