"""History in, documents out. Nothing here runs a world or decides a verdict; it reads what a run left and shows it.

run_model  a run directory as typed records, tolerant of what a kill leaves behind
event_digest  one world's events.jsonl, condensed to what a page can show
html       report.html of scenarios, self-contained; templates/ holds its page and its style
city_page  report.html of a city; sweep_page: of a sweep; page: what all pages share
plots/     the only door to matplotlib
check_text, check_page  a check of a gateway or broker; card_page: the card on a gateway that holds keys
console    the summary in a terminal or a log
junit      junit.xml for CI
documents  all of a run's documents, in the order in which they need each other
shots      what an attacker sent, with its frames, messages and rows; byte_difference, portal_rows: parts of that
by_hand    commands with which a reader finds a shot in those files without us
findings   from verdicts to what is satisfied; oscal, navigator: the documents that hold it
sarif      findings.sarif of an attack on a broker
threat_list  threats.toml as records
coverage   the threat list (threats.toml) against what runs have shown
palette    one colour a meaning, for tables and plots, light and dark
wording    numbers, times and claims in words, the same in every document
capture    air.pcapng: the air and the broker's side, read by wireshark/wmbus.lua
"""
