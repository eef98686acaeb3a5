"""Fuzzing as an attack: whatever arrives, the program lives and genuine service is kept.

mutations      how bytes, telegrams and text are changed: one set, which the tests use too
target         the port of a door that is fuzzed, and what a finding is
targets/       one file a door
portal_bed     the real portal with every meter type, and the genuine telegrams that must come through
coverage       which edges of Python a case reached first
campaign       rounds of drawn and of guided cases, in processes side by side
findings       a finding made small, saved, played again
corpus         the cases that are kept, in tests/fuzz/corpus
"""
