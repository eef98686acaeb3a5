"""The smart meter gateway of the BSI, sans I/O: it decrypts, stores and tariffs itself, and only billing values leave.

Content security and certificates are beside the other keys, in sim/pki. Limits: docs/models/smgw.md.
"""
