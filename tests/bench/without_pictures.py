"""A plugin for runs of which a test reads outcomes: their report has its pages and no pictures, which would take most
of such a run. What is drawn of a run is asked in tests/reports and where a whole run is asked (bench/cli/test_main)."""

from __future__ import annotations

from reports import pictures

pictures.of_scenario = lambda *_, **__: []
