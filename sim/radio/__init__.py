"""The air. Emissions in; receptions out, and one reason for every loss.

What is modelled and what is not, and what it was held against: docs/models/air.md.
"""
