"""The gateway's security module: private keys that are made inside and never leave.

As a process of its own: sim/smart_metering/module_process.
"""
