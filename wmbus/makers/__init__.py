"""What makers put where the standard has no words: their names, and the formats of theirs that public sources describe.
"""
