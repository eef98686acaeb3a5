"""How a scenario is run and judged.

plugin        pytest's side                 controller    one pytest session
scenario      what a scenario file uses     scenario_run  its runs, its judgement, its scenario.json
judgement, verdict, measure                 checks/       one invariant a file
pcap_tap      air.pcapng                    compress, world_row    what a run leaves
"""
