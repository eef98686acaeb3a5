"""A broker that is not ours under attack: `./wmbench attack broker HOST:PORT`.

broker_target  what is given: address, certificates, identities, bounds; which addresses are refused
broker_stand   sessions with it for one row, what shows that a message would have come, and evidence
broker_suite   row by row; run.json, JUnit, SARIF, page
config_place   the line of a mosquitto.conf that a finding is about
rows/          one file a row
"""
