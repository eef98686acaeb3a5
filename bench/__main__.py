"""`python -m bench` is what ./wmbench starts once its environment is ready."""

import gc
import os
import sys

# Products of vectors here are bound by memory: threads of numpy's BLAS wait for each other and take twice the time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bench import signals
from bench.cli.main import main

gc.set_threshold(20_000)  # what a command loads is no garbage: looking for some takes a tenth of its start
code = main(sys.argv[1:])
signals.forget_handled()
sys.exit(code)
