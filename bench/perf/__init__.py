"""How fast it is: what is measured, and the tests that hold it to limits (pytest-benchmark).

`./wmbench bench` prints them beside the goals (bench/cli/benchmarks.py).
"""
