"""The air. Emissions in; receptions out, and one reason for every loss.

    modes        T1, C1, S1: rates, preambles, air time, channel
    propagation  path loss, shadowing, fading; powers as exact integers
    capture      a threshold, or a packet-error curve as a drawn threshold
    site         where meters and gateways are
    links        who reaches whom, and at what level
    schedule     what a fleet sends in a window; one emission as others see it
    air          the medium as the world sees it

    listener     what happens to a frame at one receiver: the rules
    reference    the event-by-event SimPy model: the oracle

    engine       the same fates for a fleet's arrays, window by window
    windowed     receivers that can wait, played by the engine behind the air
    timetable    what is on the air or to come, for receivers that join
    limits       what an engine's keys hold, and the refusal of more
    near         links of a large site, without asking every pair
    subsets      links and ears of some of the receivers
    kernels, apart, solitary, compiled    its sweep with numba
    plain                                 its sweep without

What is modelled and what is not, and what it was held against: docs/models/air.md.
"""
