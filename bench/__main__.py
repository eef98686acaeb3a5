"""`python -m bench` is what ./wmbench starts once its environment is ready."""

import sys

from bench.cli.main import main

sys.exit(main(sys.argv[1:]))
