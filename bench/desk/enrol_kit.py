"""What a box on the desk is given once: its certificate, our authority's, and a page with what to type in."""

from __future__ import annotations

import html
import ipaddress
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sim.core import bundle
from sim.core.settings import SpecError
from sim.desk.inventory import GatewayEntry
from sim.pki.authority import Authority, PkiError, fingerprint
from sim.readers.kinds.http_push import HttpPushSpec
from sim.readers.push_server import PushSpec

_NTP: Final = {
    "chrony": "# /etc/chrony/conf.d/wmbench.conf, then: systemctl restart chrony\nallow {allow}\nlocal stratum 10\n",
    "ntpd": "# into /etc/ntp.conf, then: systemctl restart ntp\nrestrict {network} mask {mask} nomodify notrap nopeer\n"
    "tos orphan 10\n",
}


@dataclass(frozen=True, slots=True)
class Kit:
    """`files`: what was written, the page first. `rows`: what stands on the page."""

    files: tuple[Path, ...]
    rows: tuple[tuple[str, str], ...]


def write(entry: GatewayEntry, folder: Path, request: bytes | None = None) -> Kit:
    """The kit of a gateway, in `folder`. `request`: its signing request, where it keeps its key to itself. Raises
    SpecError, PkiError, OSError."""
    listen, pushes = entry.listen, _pushes(entry)
    if not listen.broker and not pushes:
        raise SpecError(
            f"{entry.name} has listen.broker = false, and no reader with read.tls: there is nothing that it could be "
            "enrolled at"
        )  # fmt: skip
    if (listen.broker and listen.port == 0) or (_has_certificates(entry) and not listen.pki):
        raise SpecError(
            f"{entry.name}: to enrol it, its inventory names listen.port, which the box is told, and listen.pki, the "
            "folder in which the desk's authority stays"
        )  # fmt: skip
    if any(push.port_number == 0 for push in pushes):
        raise SpecError(f"{entry.name}: to enrol it, its inventory names read.port_number, which the box is told")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = [*_certificates(entry, folder, request)] if _has_certificates(entry) else []
    rows = [*_rows(entry, files, own_key=request is not None)]
    if entry.time.server != "none":
        files.append(_ntp(entry, folder))
    page, text = folder / "page.html", folder / "page.txt"
    page.write_text(_page(entry, rows), encoding="utf-8")
    text.write_text("".join(f"{what:<22} {value}\n" for what, value in rows), encoding="utf-8")
    return Kit((page, text, *files), tuple(rows))


def _certificates(entry: GatewayEntry, folder: Path, request: bytes | None) -> list[Path]:
    authority = Authority(Path(entry.listen.pki))
    if request is not None:
        made = [authority.certificate, authority.sign(entry.name, request)]
    else:
        pair = authority.renewed(entry.name)
        made = [authority.certificate, pair.certificate, pair.key]
    copies = []
    for file in made:
        copy = folder / file.name
        copy.unlink(missing_ok=True)
        if file.suffix == ".key":
            os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # before the first byte is in it
        shutil.copyfile(file, copy)
        copies.append(copy)
    return copies


def _rows(entry: GatewayEntry, files: list[Path], *, own_key: bool) -> list[tuple[str, str]]:
    listen = entry.listen
    host = listen.hostname or listen.address
    rows = [*_broker_rows(entry, host)] if listen.broker else []
    for push in _pushes(entry):
        scheme = "https" if isinstance(push, HttpPushSpec) else "TLS"
        path = push.path if isinstance(push, HttpPushSpec) else ""
        rows.append(("posts to", f"{scheme}://{push.hostname or push.address}:{push.port_number}{path}"))
        both = push.tls == "both"
        rows.append(("security", "TLS 1.2 or better, " + ("both sides show certificates" if both else "ours is shown")))
    for file, what in zip(files, ("authority to trust", "its certificate", "its private key"), strict=False):
        rows.append((what, file.name))
        if file.suffix == ".crt":
            rows.append(("SHA-256 of that", fingerprint(file)))
    if own_key:
        rows.append(("its private key", "is its own, and stays in it"))
    if entry.time.server != "none":
        rows.append(("time (NTP) from", host))
    return rows


def _broker_rows(entry: GatewayEntry, host: str) -> Iterator[tuple[str, str]]:
    listen = entry.listen
    yield "broker", f"{host}, port {listen.port}"
    yield "security", "TLS 1.2 or better, both sides show certificates" if listen.tls else "none: MQTT in clear"
    yield "MQTT", "3.1.1, QoS 1"
    yield "client id", entry.name
    if listen.hostname:
        yield "address of the host", listen.address
    for topic in listen.topics or [form.format(gateway=entry.name) for form in (bundle.UP, bundle.BIRTH)]:
        yield "publishes to", topic
    if not listen.topics:
        yield "subscribes to", bundle.ACK.format(gateway=entry.name)


def _pushes(entry: GatewayEntry) -> list[PushSpec]:
    """What it posts to, by TLS."""
    return [spec for spec in entry.read if isinstance(spec, PushSpec) and spec.tls != "none"]


def _has_certificates(entry: GatewayEntry) -> bool:
    return bool(_pushes(entry)) or (entry.listen.broker and entry.listen.tls)


def _ntp(entry: GatewayEntry, folder: Path) -> Path:
    try:
        network = ipaddress.ip_network(entry.time.allow)
    except ValueError as error:
        raise SpecError(f"{entry.name}: time.allow: {error}") from None
    file = folder / f"{entry.time.server}.conf"
    text = _NTP[entry.time.server]
    values = {"allow": str(network), "network": str(network.network_address), "mask": str(network.netmask)}
    file.write_text(text.format(**values), encoding="utf-8")
    return file


def _page(entry: GatewayEntry, rows: list[tuple[str, str]]) -> str:
    title = html.escape(entry.title or entry.name)
    table = "\n".join(f"<tr><th>{html.escape(what)}</th><td>{html.escape(value)}</td></tr>" for what, value in rows)
    notes = f"<p>{html.escape(entry.page.strip())}</p>" if entry.page.strip() else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px sans-serif;max-width:48em;margin:2em auto}}th{{text-align:left;padding-right:2em;
vertical-align:top}}td{{font-family:monospace;overflow-wrap:anywhere}}</style></head><body>
<h1>{title}</h1>
<p>Type this into the gateway <b>{html.escape(entry.name)}</b>.</p>
<table>
{table}
</table>
{notes}
<p>wmbench feeds it by wire and never transmits. Whoever feeds a box by radio uses a cable with an attenuator or a
shielded box, and answers for it: sending on these bands has legal limits.</p>
</body></html>
"""


__all__ = ["Kit", "PkiError", "write"]
