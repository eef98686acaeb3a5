"""Work on many rows at once: the one door to the compiler, and what is compiled.

jit                the door to numba             unaligned      words at any address
compiling, compiled_cache    when code is compiled, and when it is stale
aes_encrypt, aes_decrypt, aes_tables, seal    AES for rows; ciphers, ciphers_compiled: modes 5 and 7 for rows
crc_rows, crc_instructions   CRCs for rows
philox             draws for rows                build_telegrams    whole encrypted telegrams for rows
"""
