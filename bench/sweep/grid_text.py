"""A sweep's result as text: one line a point, and each expectation that does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.columns import in_columns


def lines(body: dict[str, Any]) -> Iterator[str]:
    """From sweep.json."""
    seeds = body["seeds"]
    yield (
        f"{body['title']}: {body['world']}, {body['hours']:g} h, {len(body['points'])} points, "
        f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    )
    keys = [key for axis in body["vary"] for key in axis["keys"]]
    names = {point["formula_name"] for point in body["points"]} - {""}
    rows = [[*keys, "load", "delivered", "spread", *(["formula"] if names else []), ""]]
    for point in body["points"]:
        ratio = point["figures"]["delivery_ratio"]
        formula = "" if point["formula"] is None else f"{point['formula']:.4f}"
        verdict = "" if not point["expected"] else "holds" if point["held"] else "FAILED"
        rows.append([*(str(point["settings"][key]) for key in keys), f"{point['load']:.4g}", f"{ratio['mean']:.4f}",
                     f"{ratio['spread']:.4f}", *([formula] if names else []), verdict])  # fmt: skip
    yield from (f"  {line}" for line in in_columns(rows, right=True))
    yield from (f"  formula: {name}" for name in sorted(names))
    yield "  load: air time begun at a gateway / time (erlang)"
    yield f"  digest {body['digest']} of the sets of telegrams received"
    yield from (f"FAILED: {text}" for text in body["failed"])
