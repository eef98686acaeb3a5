"""The air. Emissions in; receptions out, and one reason for every loss.

    link_modes       T1, C1, S1: rates, preambles, air time, channel
    propagation      path loss, shadowing, fading; powers as exact integers
    capture_effect   a threshold, or a packet-error curve as a drawn threshold
    receiver_names   which profiles there are
    receiver_profile what a receiver makes of noise and of other frames; receivers/: one TOML file each
    site_spec        [site] of a world
    site             where meters and gateways are
    links            which transmitter reaches which receiver, and at what level
    emissions        what a fleet sends in a window; one emission as others see it
    air              the medium as the world sees it

    listener         what happens to a frame at one receiver: the rules
    reference        the event-by-event SimPy model: the oracle

    loss             which reason comes first: for the oracle and for compiled code

    engine           the same fates for a fleet's arrays, window by window
    window_receivers deferred receivers, played by the engine behind the air
    window_report    what a window brought to deferred receivers, as columns
    on_air           what is on the air or to come, for receivers that join
    limits           what an engine's keys hold, and the refusal of more
    link_search      links of a large site, without asking every pair; link_search_compiled
    receiver_subset  links and receivers of some of them
    sweep_arrays     what the sweep takes and fills: named tuples of arrays
    sweep, shortcut_isolated, shortcut_pairs, due_frames    its sweep, compiled

What is modelled and what is not, and what it was held against: docs/models/air.md.
"""
