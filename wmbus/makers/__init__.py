"""What makers put where the standard has no words: their names, and the formats of theirs that public sources describe.

    names      the three letters of the M field in words
    payloads   which maker's format a telegram carries, and its values
    techem     CI A0, A1, A2: heat cost allocators, water and heat meters before radio 4
    qundis     the walk-by record 0DFF5F of heat cost allocators, water and heat meters
"""
