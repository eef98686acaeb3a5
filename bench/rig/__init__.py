"""How a scenario is run and judged.

plugin        pytest's side                 controller    one pytest session
scenario      what a scenario file uses     scenario_run  its runs, its judgement, its scenario.json
judgement   outcomes -> claims              verdict       what one cell comes to
clauses     shots and alarms of a cell      classify      what a frame is, from its bytes
twin        the same world, not attacked    measure       figures with limits
checks/     one invariant a file
secrets     keys and plaintext in files and messages; gateway_memory  the same for a gateway's memory
pcap_tap      air.pcapng                    compress, world_row    what a run leaves
"""
