"""The gateway's three logs, sans I/O: rows that hang on one another, so that a missing, changed or moved one shows.

    log_entries  what a row says: time, level, event, whom it concerns, who did it, outcome, text
    hash_chain   rows, their digests, the signed ends, and what is wrong with a list of rows
    log_limits   how many rows a log holds, and what happens when it is full

Consumer logs: each transmission to a receiver, each login; that consumer reads it. System log: power, alarms, clock,
logins that failed; administrator and technician. Calibration log: what bears on a bill; administrator, kept for life.
Where they lie on a disk: sim/smart_metering/gateway_logs.py.
"""
