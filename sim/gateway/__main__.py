"""`python -m sim.gateway`: see process."""

import sys

from sim.gateway.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
