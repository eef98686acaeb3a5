"""The rig: runs scenarios against worlds, decides, and leaves a run directory. Nobody imports it from elsewhere.

cli/            the command line, one file a verb
rig/            scenarios: how pytest finds and runs them, controls, verdicts; checks/: one invariant a file
frame/          telegrams without a world
sweep/          many worlds in one table
perf/           benchmarks
broker/         a broker that is not ours under attack; product/: a portal
run_directory   runs/<name>/<time>/
options         what the command line changes in every scenario
run_errors      errors that are no fault of wmbench, each with its message
progress        bars on a terminal, lines elsewhere
broken_pipe     how it survives its reader; signals: how it ends early
"""
