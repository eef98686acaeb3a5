"""Two systems under the same attacks, side by side.

    compared  the card's five attacks and nineteen pairs, as data: which scenario and variant answers for each system
    side_by_side  the verdicts of runs, topic by topic and system by system; who saw what; what it cost
"""
