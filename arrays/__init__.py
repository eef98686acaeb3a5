"""Work on many rows at once: the one door to the compiler, and what is compiled.

jit                 the door to numba, and where its code is kept
cache_folder        the folder of it, and whether set-up made what is needed; content: a function's digest
unaligned           words at any address, for compiled code
plain_or_compiled   formulas that serve one row as plain Python and many as compiled code
aes_encrypt, aes_decrypt    AES by the processor's instructions; aes_tables: where it has none
ciphers             modes 5 and 7 for rows; ciphers_compiled: what it calls; seal: the same for a block in the cache
crc_instructions, crc_rows  CRCs for rows, by instructions and by tables
philox, splitmix    the generators, once, without a compiler; draws: over arrays, and for compiled loops
find_many           where any of many byte strings begins
build_telegrams     whole encrypted telegrams for rows
"""
