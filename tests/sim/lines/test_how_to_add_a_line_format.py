"""docs/how-to/add-a-line-format.md as it stands there: the page's file is a codec."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from sim.lines.codecs.port import Codec
from sim.lines.reception import Reception

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "add-a-line-format.md"
FRAME = bytes.fromhex("1344c5147856341200047a010000000d13c23412")


def test_the_pages_file_is_a_codec() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    module = ModuleType("my_logger")
    exec(compile(source, str(PAGE), "exec"), module.__dict__)
    codec = module.CODEC
    assert isinstance(codec, Codec)
    written = codec.write(Reception(FRAME, -71.0))
    reader = codec.reader()
    (got,) = [one for byte in written for one in reader.feed(bytes((byte,)))]
    assert isinstance(got.what, Reception)
    assert (got.what.frame, got.what.rssi_dbm, codec.claims(written)) == (FRAME, -71.0, True)
