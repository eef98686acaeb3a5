"""Slow, wordy twins of production code, written apart from it: what both say must be the same.

    tariff_in_words    zones of TAF 2, minute by minute on the wall clock
    portal_window      which values were seen, as one whole number of bits
    portal_freshness   the five checks, one telegram at a time
    portal_in_words    copies, opening, checks: what becomes of each telegram of a take
"""
