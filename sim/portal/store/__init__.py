"""What a portal writes to: one file a store, found by folder; the port is `sim.portal.store_port`.

`_sql` holds the tables and statements that SQLite and PostgreSQL share.
"""

from sim.portal.store_port import (
    Evidence,
    Reading,
    Refusal,
    Store,
    StoreError,
    fingerprint,
    open_store,
    private_file,
    rows_of,
)

__all__ = [
    "Evidence", "Reading", "Refusal", "Store", "StoreError", "fingerprint", "open_store", "private_file", "rows_of",
]  # fmt: skip
