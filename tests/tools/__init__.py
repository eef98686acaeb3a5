"""Programs that judge the tests themselves; `./wmbench test night` runs them.

mutate_code     single edits of the source, each of which a test must notice
"""
