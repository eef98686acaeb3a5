"""`python -m bench` is what ./wmbench starts once its environment is ready."""

import sys

from bench import signals
from bench.cli.main import main

code = main(sys.argv[1:])
signals.forget_handled()
sys.exit(code)
