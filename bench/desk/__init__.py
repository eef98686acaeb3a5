"""Real gateways, for the command line.

enrol_kit     what a box is given: certificate, authority, and a page to type in
"""
