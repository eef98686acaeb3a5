"""One file a meter type. Each has a KIND with its table of records and published telegrams; the folder is the list."""
