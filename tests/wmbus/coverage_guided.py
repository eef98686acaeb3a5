"""Coverage-guided fuzzing of every door with atheris, seeded by the published telegrams.

    pip install atheris
    PYTHONPATH=. python tests/wmbus/coverage_guided.py CORPUS_FOLDER -max_total_time=60

The first byte chooses the key, the rest is the telegram.  The corpus folder is filled with the published telegrams
when it is empty.  Anything but a reading or BadTelegram is a finding; a finding becomes a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["wmbus"]):
    from mutations import every_door, same_or_refused
    from published import telegrams

KEYED = [t for t in telegrams() if t.key is not None][:255]


def one(data: bytes) -> None:
    if not data:
        return
    t = KEYED[data[0] % len(KEYED)]
    same_or_refused(t, data[1:])
    every_door(t, data[1:])


def fill(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return
    for t in telegrams():
        which = KEYED.index(t) if t in KEYED else 0
        (folder / f"{t.line:03d}").write_bytes(bytes([which]) + t.frame)


def main() -> None:
    folders = [a for a in sys.argv[1:] if not a.startswith("-")]
    if folders:
        fill(Path(folders[0]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
