"""Which operation of `fill_kernels` fills which bytes, for one group of healthy meters on one day of their clocks.

What the day decides for all of them, dates above all, stands in the template; so does what only a faulty meter says.
"""

from __future__ import annotations

import numpy as np

from arrays.build_telegrams import Shared, frame_template
from sim.core.vocabulary import Security
from sim.meters import civil, quantities
from sim.meters.day_steps import DAYS, Step
from sim.meters.encodings import ENCODINGS, encoder
from sim.meters.fill_kernels import Form
from sim.meters.meter_type import Kind
from wmbus.link import Address
from wmbus.telegram import length
from wmbus.transport import CI_LONG, CI_NONE


def form(kind: Kind, security: Security, steps: tuple[Step, ...], day: int, epoch_ms: int) -> Form:
    """The form of a healthy group; `steps`: its type's on this day."""
    tpl = kind.tpl_for(security)
    prefix = kind.unencrypted_prefix if security == "none" else b""
    m = kind.payload_bytes(security)
    cfg_flags = kind.cfg_flags_unencrypted if security == "none" else 0
    template = frame_template(length(m, security, tpl), m, Shared(security, kind.c_field, tpl, cfg_flags))
    wire = Address(kind.manufacturer, "00000000", kind.version, kind.device_type).wire()
    template[2:10] = np.frombuffer(wire, dtype=np.uint8)
    header = 30 if security == "mode7" else 10
    at = header + 1
    if tpl == CI_LONG:
        template[at : at + 8] = np.frombuffer(wire[2:6] + wire[:2] + wire[6:], dtype=np.uint8)
        at += 8
    acc, sts = (-1, -1) if tpl == CI_NONE else (at, at + 1)
    places = [acc, 12 if security == "mode7" else -1, sts, header + 1 if tpl == CI_LONG else -1]
    places += [kind.idle_sts, kind.idle_sts | kind.low_power_sts]
    begin = at + (0 if tpl == CI_NONE else 4) + (0 if security == "none" else 2) + (1 if security == "mode7" else 0)
    template[begin : begin + m] = np.frombuffer(prefix + kind.template, dtype=np.uint8)
    begin += len(prefix)
    rows: list[list[int]] = []
    for place, step in zip(kind.places, steps, strict=True):
        to = begin + place.offset
        constant = _constant(step)
        if constant is not None:
            raw = encoder(place.encoding)(constant)
            template[to : to + place.width] = np.frombuffer(raw, dtype=np.uint8)
            continue
        one = ENCODINGS[place.encoding]
        rows.append([step.op, to, one.kind, one.width, one.lowest, one.beyond, *step[1:]])
    table = np.array(rows, dtype=np.int64).reshape(-1, 5 + len(Step._fields))
    return Form(template, np.array(places, dtype=np.int64), table, day, epoch_ms)


def _constant(step: Step) -> int | None:
    """What every healthy meter says, None where they differ."""
    if step.op == quantities.CONSTANT:
        return step.value
    if step.op == quantities.FAULT_TIME:
        return civil.NONE_G if step.of == DAYS else civil.NONE_F
    return 0 if step.op == quantities.SINCE or (step.op, step.of) == (quantities.OWN, quantities.FLAGS) else None
