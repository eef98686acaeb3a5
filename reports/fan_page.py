"""The page of a fan-in: what the broker accepted beside what it delivered, over load and subscribers."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from reports import page, plots
from reports.plots.fan_curves import accepted_delivered, over_time


def render(answer: dict[str, Any], words: list[str]) -> str:
    """`answer`: as `load --json` prints it; `words`: the same as lines."""
    curves_said = "Messages a second: offered, acknowledged to the publishers, delivered to a subscriber."
    worst = max(answer["trials"], key=lambda one: one["waiting"])
    time_said = (
        f"{worst['takers']} subscribers at {worst['per_s']:g} messages a second: all that was acknowledged and all "
        "that was delivered, until the last was due. What lies between them waits in the broker."
    )
    return page.environment().get_template("fan.html.j2").render(
        answer=answer, words=words, state="amber" if answer["stopped"] else "green", curves_said=curves_said,
        time_said=time_said,
        curves=Markup(plots.as_svg(accepted_delivered(answer["trials"]), "curves", curves_said)),
        over_time=Markup(plots.as_svg(over_time(worst), "time", time_said)),
    )  # fmt: skip
