"""The gateway's three logs, sans I/O: rows that hang on one another, so that a missing, changed or moved one shows.

Consumer logs: each transmission to a receiver, each login; that consumer reads it. System log: power, alarms, clock,
logins that failed; administrator and technician. Calibration log: what bears on a bill; administrator, kept for life.
Where they lie on a disk: sim/smart_metering/gateway_logs.py.
"""
