"""inventory.toml: what is read, and what its author is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.core.settings import SpecError
from sim.desk import inventory
from sim.desk.placeholders import UnknownPlaceholder, filled
from sim.feeders.kinds.codec import CodecSpec
from sim.feeders.lines.pty import PtySpec

GOOD = """
[[gateway]]
name = "kitchen"
feed = [{ kind = "codec", format = "cul", line = { kind = "pty" } }]
read = [{ kind = "bundles" }]
listen = { address = "192.168.7.1", port = 8883, topics = ["kitchen/#"] }
power = { cut = ["relay", "off"], on = ["relay", "on"] }

[gateway.claims]
duplicates = "equal among the last"
duplicates_last = 10

[[gateway]]
name = "lab"
entry = "reference"

[gateway.run]
command = ["{python}", "-m", "sim.gateway"]
"""


def read(folder: Path, text: str) -> inventory.Inventory:
    path = folder / "inventory.toml"
    path.write_text(text, encoding="utf-8")
    return inventory.load(path)


def test_each_gateway_is_what_its_tables_say(tmp_path: Path) -> None:
    kitchen = read(tmp_path, GOOD).find("kitchen")
    assert kitchen.feed == (CodecSpec(format="cul", line=PtySpec()),)
    assert kitchen.listen.port == 8883
    assert kitchen.listen.topics == ("kitchen/#",)
    assert kitchen.claims.duplicates_last == 10
    assert kitchen.power.on == ("relay", "on")


def test_an_entry_is_a_beginning_and_own_keys_replace_its_keys(tmp_path: Path) -> None:
    lab, ready = read(tmp_path, GOOD).find("lab"), inventory.find("reference", None)
    assert lab.name == "lab"
    assert lab.feed == ready.feed and lab.claims == ready.claims
    assert lab.run.command == ("{python}", "-m", "sim.gateway")
    assert lab.run.env == {}


def test_every_ready_entry_can_be_read() -> None:
    assert {"reference", "wmbusmeters"} <= set(inventory.ready_entries())
    for name in inventory.ready_entries():
        assert inventory.find(name, None).name == name


CHANGES = [
    ('name = "kitchen"', 'name = "kitchen"\nfeeds = 3', r"line 4: gateway\[0\].feeds: .* did you mean 'feed'"),
    ('kind = "codec", ', 'kind = "codek", ', r"line 4: .*feed\[0\].kind: there is no 'codek'; did you mean"),
    ('"cul"', '"cull"', r"line 4: gateway\[0\].feed\[0\].format: 'cull' is not one of .*; did you mean 'cul'"),
    ('format = "cul", ', "", r"line 4: gateway\[0\].feed\[0\].format: is missing"),
    ('"pty"', '"ptty"', r"line 4: gateway\[0\].feed\[0\].line.kind: there is no 'ptty'"),
    ('kind = "pty"', 'kind = "tcp", port = 70000', r"line 4: .*port: 70000 is not between 0 and 65535"),
    ('[{ kind = "bundles" }]', "[]", r"line 5: gateway\[0\].read: needs at least one entry"),
    ("port = 8883", "port = 0", r"line 6: gateway\[0\].listen: 192.168.7.1 is on a network; name a port"),
    (', on = ["relay", "on"]', "", r"line 7: gateway\[0\].power: needs both commands"),
    ('duplicates = "equal among the last"', 'duplicates = "all"', r"line 10: .*claims.duplicates: 'all' is not"),
    ('duplicates_last = 10', "awake_s = 600", r"line 9: .*claims: awake_s = 600 needs a period_s above it"),
    ('name = "lab"', 'name = "kitchen"', r"line 14: gateway\[1\].name: 'kitchen' is there twice"),
    ('"reference"', '"refrence"', r"line 15: gateway\[1\].entry: 'refrence' is not one of"),
    ('command = ["{python}", "-m", "sim.gateway"]', "env = { A = 3 }", r"line 18: .*run.env.A: 3 is not text"),
    ("[[gateway]]\nname", "gateway = 3\n#", r"gateway: 3 is not a list"),
    ("duplicates_last = 10", "", r'line 9: .*claims: duplicates = "equal among the last" needs duplicates_last'),
    ('duplicates = "equal among the last"', "", "duplicates_last = 10 says nothing beside duplicates"),
    ("duplicates_last = 10", 'duplicates_last = 10\nbuffer = "time"\nbuffer_telegrams = 5', 'is for "telegrams"'),
    ("duplicates_last = 10", "duplicates_last = 10\nsurvives_power_cut = true", "survives_power_cut needs a buffer"),
    ("duplicates_last = 10", "duplicates_last = 10\nmodes = []", "line 9: .*claims: modes names none"),
    ("duplicates_last = 10", "duplicates_last = 10\nc_fields = [0x44, 300]", "c_fields has 300; a C field is a byte"),
    ("duplicates_last = 10", 'duplicates_last = 10\ncompact = "after a full frame"', "is of a gateway that decodes"),
    ("port = 8883", "port = 8883, broker = false", r"line 5: gateway\[0\].read: messages come over a broker"),
    ('name = "kitchen"', 'name = "kit/chen"', r"line 3: gateway\[0\].name: 'kit/chen' cannot be a device name"),
    ('kind = "bundles" }]', 'kind = "mqtt", topic = ["x"], values = "$" }]', "its readers give values alone; say"),
    ("duplicates_last = 10", "duplicates_last = 10\n[gateway.keys]\ninstead_of = 'x'", "line 13: .*none of run.files"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "says"), CHANGES)
def test_a_wrong_line_is_named_with_the_way_out(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if new.startswith("gateway = 3"):
        text = "gateway = 3\n"
    with pytest.raises(SpecError, match=says) as raised:
        read(tmp_path, text)
    assert str(raised.value).startswith(str(tmp_path / "inventory.toml"))


@pytest.mark.parametrize("claim", ["verifies_server", "own_certificate"])
def test_a_claim_of_tls_needs_tls(tmp_path: Path, claim: str) -> None:
    text = GOOD.replace("duplicates_last = 10", f"duplicates_last = 10\n{claim} = true", 1)
    assert getattr(read(tmp_path, text).find("kitchen").claims, claim)
    with pytest.raises(SpecError, match=rf"line 12: gateway\[0\]\.claims\.{claim}: nothing that it dials speaks TLS"):
        read(tmp_path, text.replace("port = 8883", "port = 8883, tls = false"))
    posts = '{ kind = "http_push", tls = "server", port_number = 8443 }'
    text = text.replace("port = 8883", "broker = false, port = 8883").replace('{ kind = "bundles" }', posts)
    assert getattr(read(tmp_path, text).find("kitchen").claims, claim)


def test_an_unknown_gateway_is_told_what_there_is(tmp_path: Path) -> None:
    read(tmp_path, GOOD)
    path = tmp_path / "inventory.toml"
    assert inventory.find("lab", path).name == "lab"
    assert inventory.find("reference", path).name == "reference"
    with pytest.raises(SpecError, match="no gateway 'kitchn' in this inventory; there are: kitchen, lab"):
        read(tmp_path, GOOD).find("kitchn")
    with pytest.raises(SpecError, match=r"the ready entries are: .*reference"):
        inventory.find("other", tmp_path / "none.toml")


def test_two_feeders_need_two_standard_inputs_and_a_program(tmp_path: Path) -> None:
    text = '[[gateway]]\nname = "x"\nread = [{ kind = "bundles" }]\n'
    text += 'feed = [{ kind = "codec", format = "cul", line = { kind = "stdin" } }]\n'
    with pytest.raises(SpecError, match=r"line 4: gateway\[0\].feed: a feeder on standard input needs a program"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("a {name}", "a box"),
        ("{{name}}", "{name}"),
        ('{"k": {name}}', '{"k": box}'),
        ("{ name }", "{ name }"),
        ("", ""),
    ],
)
def test_names_in_braces_are_replaced(text: str, becomes: str) -> None:
    assert filled(text, {"name": "box"}) == becomes


def test_a_name_that_stands_for_nothing_is_said() -> None:
    with pytest.raises(
        UnknownPlaceholder, match=r"\{prot\} stands for nothing; did you mean \{port\}\? There are: name, port"
    ):
        filled("-p {prot}", {"name": "box", "port": "1"})


def test_a_wrong_key_of_a_reader_is_named_by_its_line(tmp_path: Path) -> None:
    lab = '[[gateway]]\nname = "lab"'
    text = GOOD.replace(lab, f'[[gateway.read]]\nkind = "stdout"\n\n{lab}', 1)
    text = text.replace('read = [{ kind = "bundles" }]\n', "", 1)
    assert read(tmp_path, text).find("kitchen").read[0].kind == "stdout"
    wrong = text.replace('kind = "stdout"\n', 'kind = "stdout"\ntransform = ["hexx"]\n')
    line = wrong.splitlines().index('transform = ["hexx"]') + 1
    with pytest.raises(SpecError, match=rf"line {line}: gateway\[0\]\.read\[0\]\.transform.*did you mean 'hex'"):
        read(tmp_path, wrong)
