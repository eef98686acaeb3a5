"""The rig: runs scenarios against worlds, decides, and leaves a run directory. Nobody imports it from elsewhere.

cli         the command line; pipes and signals: how it survives its reader, and how it ends early
runner      from a person's words to a run; options: what the command line changes in every scenario
scenario    the @scenario mark and the Stage a scenario is given; airlog: air.pcap of it
pack        a world's databases when it is over: compressed
plugin      how pytest finds and runs scenarios; controller: what comes of a session
frame       telegrams without a world; frame_decode, _encode, _sample, _iq, and frame_text: hex, keys and lines
city        a whole city as arrays: sent, heard, lost, and why
sweep       many worlds in one table; sweep_plan: what a file says; sweep_figures, _result, _text, _log, _progress;
            closed_form: what theory says of a point
crew        who does the jobs of a sweep: processes; scheduler: a dask.distributed cluster
play        a recorded log among simulated meters; staged: a world that ran, as a row of run.json
bout        one scenario with one seed: with its defences, then as a control without
judgement   outcomes next to their control and to what was expected; verdict: what one outcome means
measure     figures with limits
checks/     one invariant a file, applied to every run
errors      what can go wrong without being our fault, in words
catalogue   what there is: scenarios, attacks, meters, gateways, endpoints
rundir      runs/<name>/<time>/; replay: a run again, compared by digest
doctor      is this machine ready
perf/       benchmarks; figures: the same ones beside their goals
"""
