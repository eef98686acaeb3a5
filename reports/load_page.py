"""The page of a load test: the knee, what was full there and next, latencies, devices that lost readings, what shows
that the generator was not the limit, growth of the store, every trial. Self-contained and without a script."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from reports import page, plots
from reports.plots.load_curves import over_load, tail
from sim.core.quoting import shown


def render(answer: dict[str, Any]) -> str:
    """`answer`: as `load --json` prints it."""
    trials = [one for search in answer["searches"] for one in search["trials"]]
    curves = {
        f"{title}, {answer[key]['per_s']:.1f} bundles/s": answer[key]["latency"]
        for title, key in (("holds", "at_knee"), ("breaks", "beyond"))
        if answer[key] is not None and answer[key]["latency"]["count"]
    }
    over_said = f"{len(trials)} trials: the time within which 99 of 100 readings were stored, over the load."
    tail_said = "; ".join(
        f"{shown(title)}: 99.99 of 100 within {one['p99.99_s']:.3f} s" for title, one in curves.items()
    )
    return page.environment().get_template("load.html.j2").render(
        answer=answer, trials=[(search, one) for search in answer["searches"] for one in search["trials"]],
        state=state(answer), headline=headline(answer), shown_trials=_both(answer), over_said=over_said,
        tail_said=tail_said,
        over=Markup(plots.as_svg(over_load(trials, answer["within_s"]), "over", over_said)) if trials else None,
        tail=Markup(plots.as_svg(tail(curves, answer["within_s"]), "tail", tail_said)) if curves else None,
    )  # fmt: skip


def state(answer: dict[str, Any]) -> str:
    """The colour of the answer."""
    if answer["stopped"] or answer["generator"]["was_the_limit"]:
        return "amber"
    return "green" if answer["knee_per_s"] is not None else "red"


def headline(answer: dict[str, Any]) -> str:
    """The answer in a few words."""
    knee = answer["knee_per_s"]
    if answer["at_per_s"] is not None:
        return f"{answer['at_per_s']:g} bundles/s: {'holds' if knee is not None else 'breaks'}"
    if knee is None:
        return "no load held"
    least = "at least " if answer["breaks_per_s"] is None or answer["generator"]["was_the_limit"] else ""
    return f"{least}{knee:.1f} bundles/s"


def _both(answer: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(title, trial): the highest load that held, the lowest that broke."""
    pairs = (("At the knee", answer["at_knee"]), ("Beyond it", answer["beyond"]))
    return [(title, one) for title, one in pairs if one is not None]
