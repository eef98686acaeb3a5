"""Programs that judge the tests themselves; `./wmbench test night` runs them.

mutate_code     single edits of the source, each of which a test must notice
compare_endpoints  every scenario on Mosquitto and under AWS's rules, held against the page that says how they differ
three_seeds     every scenario over three seeds, held against the threat list and the talk's claims
aws_crt_suite   awscrt's own tests against the companion (by hand: it wants a checkout)
"""
