"""How fast it is: what is measured, and the tests that hold it to limits (pytest-benchmark).

air         a city of meters on the engine, and what it is compared with: SimPy's time-outs, the event model
bytes       telegrams built, encrypted and CRC'd; bytes of memory a meter; fleet: one at a time and in other orders
city        a city's shards to encrypted bytes, on one worker and on two
shard       a country's shard beside what its parts cost by themselves
readings    the rest of the path: from what gateways received to readings on disk
recorded    a country's run, which takes minutes, as it was
start       from the start of Python to the first window, with and without a cache of compiled code
test_*      the same figures as benchmarks

`./wmbench bench` prints them beside the goals (bench/cli/benchmarks.py).
"""
