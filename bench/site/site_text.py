"""A site file's text, as `site_file.load` reads it again."""

from __future__ import annotations

from collections.abc import Iterator

from sim.desk import toml_text
from sim.radio.site_file import SiteFile


def text(site: SiteFile, source: str) -> str:
    """The whole file; keys at their defaults are left out."""
    return "".join(_parts(site, source))


def _parts(site: SiteFile, source: str) -> Iterator[str]:
    yield toml_text.comment(f"Houses, meters and gateways, made from {source}; a world uses it with [site] file.")
    yield f"title = {toml_text.value(site.title)}\n"
    if site.origin:
        yield f"origin = {toml_text.value(site.origin)}  # latitude and longitude of east_m = north_m = 0\n"
    if site.left_out:
        yield f"left_out = {site.left_out}  # rows of the list that were wrong, and are not in it\n"
    kinds = (("house", site.house), ("gateway", site.gateway), ("candidate", site.candidate), ("meter", site.meter))
    for kind, entries in kinds:
        for one in entries:
            yield f"\n[[{kind}]]\n"
            yield "".join(f"{name} = {toml_text.value(what)}\n" for name, what in toml_text.settings(one).items())
