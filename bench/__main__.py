"""`python -m bench` is what ./wmbench starts once its environment is ready."""

import os
import sys

# Products of vectors here are bound by memory: threads of numpy's BLAS wait for each other and take twice the time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from bench import signals
from bench.cli.main import main

code = main(sys.argv[1:])
signals.forget_handled()
sys.exit(code)
