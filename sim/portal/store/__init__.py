"""What a portal writes to: one file a store, found by folder; the port is `sim.portal.store_port`.

    sqlite     one file in the world's directory: the default
    postgres   a PostgreSQL server, by URL
    parquet    a city's portals: columns on disk, a file a shard and day

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
