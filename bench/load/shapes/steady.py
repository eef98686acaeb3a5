"""Every gateway sends once a period, at its own phase, as a fleet does whose gateways were switched on one by one."""

from bench.load.schedule import numbered, steady_times
from bench.load.shapes.port import Shape

SHAPE = Shape("steady", "Every gateway once a period, at its own phase", lambda load: numbered(*steady_times(load)))
