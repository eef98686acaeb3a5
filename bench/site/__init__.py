"""Sites from lists of addresses: `site import` (rows: CSV and GeoJSON read; houses: rows to a site file), `size`."""
