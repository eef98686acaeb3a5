"""How fast it is: what is measured, and the tests that hold it to limits (pytest-benchmark).

air         a city of meters on the engine, and what it is compared with: SimPy's time-outs, the event model
iq_rate     samples of a software radio: frames, noise, a jammer
bytes       telegrams built, encrypted and CRC'd; bytes of memory a meter; fleet: one at a time and in other orders
city        a city's shards to encrypted bytes, on one worker and on two
shard       a country's shard beside what its parts cost by themselves
readings    the rest of the path: from what gateways received to readings on disk
path        a world's whole path through a real broker; portal: its portal's share
month       what a month of a world adds to memory
connections a thousand gateways up; feeding: how soon a frame is at a gateway's interface
c_client    messages a second, beside Mosquitto's own clients in C; aws_rate: under AWS's rules, beside Mosquitto alone
load_rate   messages a second of `load`'s generator, beside the same
smgw_day    a day of smart meter gateways, from telegrams to values at the supplier, over TLS
tariff_rate readings that a gateway's tariff engine puts into registers
commands    what a person waits for: the default run, the first use, the tests
recorded    a country's run, which takes minutes, as it was
start       set-up's compiling, and from the start of Python to the first window
test_*      the same figures as benchmarks

`./wmbench bench` prints them beside the goals (bench/cli/benchmarks.py).
"""
