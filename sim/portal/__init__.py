"""The portal: the only holder of keys. A reference system under test whose every defence can be switched off.

One telegram, a window of the world and a shard of a city go the same way; each telegram's bytes are opened once.
Messages become batches of receptions; of each it is found whose telegram it is, what it says and whether it is new; the
verdicts become rows and alarms, stored in one transaction a take and then acknowledged.
"""
