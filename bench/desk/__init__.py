"""Real gateways, for the command line.

enrol_kit       what a box is given: certificate, authority, and a page to type in
record          what it publishes, as a proposal how to read it
depth           how much is tried
stand           a gateway at work for one row: fed, read, and the path to its broker; behind: that broker
traffic         the telegrams that rows feed; windows: when a gateway that sleeps is fed
contract_suite  all rows, and their answer; rows/: one file each
card/           the card's attacks on a gateway that holds the meters' keys
"""
