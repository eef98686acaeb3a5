"""The rig: runs scenarios against worlds, decides, and leaves a run directory. Nobody imports it from elsewhere.

cli         the command line
scenario    the @scenario mark and the Stage a scenario is given
plugin      how pytest runs a scenario: with its defences, then as a control without
verdict     what an outcome means next to its control
measure     figures with limits
checks/     one invariant a file, applied to every run
catalogue   what there is: scenarios, attacks, meters, gateways, endpoints
rundir      runs/<name>/<time>/
doctor      is this machine ready
perf/       benchmarks
"""
