"""The command line. main has the parser; one file a verb beside it.

runner     run                  play        run --play           rerun      replay
catalogue  list, show           city        city                 doctor     doctor
benchmarks bench                  pack        pack               attack_verb  attack
own_tests  test
"""
