"""Eight telegrams side by side, or sixteen where the processor has registers for it: the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from arrays import ciphers
from bench.run_directory import ROOT

_NARROW = """
import sys
import numpy as np
import llvmlite.binding as binding
features = binding.get_host_cpu_features()
features.update(dict.fromkeys(("vaes", "avx512f", "avx512bw"), False))
binding.get_host_cpu_features = lambda: features
from arrays import aes_encrypt, ciphers
assert aes_encrypt.LANES == 8 and ciphers.engine() == "aes-ni"
rows = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(-1, 96).copy()
ciphers.encrypt_cbc(rows[:, :16], rows[:, 16:32], rows[:, 32:])
sys.stdout.buffer.write(rows.tobytes())
"""


@pytest.mark.skipif("aes-ni" not in ciphers.engines(), reason="allowed: this processor has no AES instructions")
def test_narrow_registers_make_the_same_bytes_as_tables_and_as_the_widest(tmp_path: Path) -> None:
    """Another test holds the widest to the single ciphers; a processor that has wide ones would never try these."""
    rows = np.random.default_rng(1).integers(0, 256, (37, 96), dtype=np.uint8)
    around = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    narrow = subprocess.run(
        [sys.executable, "-c", _NARROW], cwd=ROOT, env=around, check=True, input=rows.tobytes(), stdout=subprocess.PIPE
    ).stdout
    for engine in ciphers.ENGINES:
        ciphers.use(engine)
        try:
            made = rows.copy()
            ciphers.encrypt_cbc(made[:, :16], made[:, 16:32], made[:, 32:])
        finally:
            ciphers.use(None)
        assert made.tobytes() == narrow
