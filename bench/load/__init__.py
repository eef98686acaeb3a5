"""./wmbench load: what a broker and the portal behind it carry before a sentence about readings breaks.

sentence      what is to hold            knee          double, then halve the gap: pure
shapes/       one file a shape of load   schedule      when each bundle is due: arrays
fleet_bundles real telegrams in real bundles           latencies     HdrHistogram's layout and percentiles
brokers       one of our own, new in each trial, or one that runs already
generator     a process of gateways with sessions; c_offering: the same by Mosquitto's clients in C
far_generators generators on workers of a dask cluster, each with its own clock: far_process (what runs there),
              far_orders (what is said beside load_orders)
portal_process, takers_process           who takes what arrives; load_orders: what they and generators are told
fan_run       what a broker accepts beside what it delivers: fan_trial (one), fan_clients and fan_c_clients
              (both sides), fan_orders (what they are told), fan_text
load_trial    one load for some seconds  accounts      each reading's, by device, with reasons
processes     what /proc says            resources     what was full, and what would be next
outcome       of one trial               knee_run      the whole answer; growth: of the store
processor_knee  the same in processor time, which other programs do not move
paired_knee   the ratio to the clients in C by which runs are compared: paired_trial (a round), paired_process (takes
              from both in turn), paired_orders, yardstick (how fast a processor is at the moment)
load_text     the answer on a terminal   (reports/load_page.py: on a page)
"""
