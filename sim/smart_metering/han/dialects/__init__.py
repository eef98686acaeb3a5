"""What makers' devices speak to a household, a file each (`DIALECT`), found by folder; and a display page.

Forms are those that free clients and a published interface show; no device was at hand. What none of them shows is this
model's, and marked in the file.
"""
