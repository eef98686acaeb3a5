"""`frame sample`: telegrams of the simulated meters, the seed's own, with the values that decode finds."""

from __future__ import annotations

import json

import pytest

from tests.bench.command_line import Rig
from tests.bench.conftest import Here
from tests.bench.frame.frame_rig import answers, fed, refused


def test_a_seed_samples_the_same_again_and_another_does_not(rig: Rig, here: Here) -> None:
    words = ("frame", "sample", "--type", "zenner-caltos-e", "--count", "5", "--jsonl", "--seed")
    first = rig.run(*words, "7").stdout
    assert first == here(*words, "7").stdout != here(*words, "8").stdout
    assert first.count("\n") == 5
    bare = here("frame", "sample", "--type", "zenner-caltos-e", "--count", "5", "--seed", "7").stdout
    assert bare.split() == [json.loads(line)["telegram"] for line in first.splitlines()]


def test_the_true_values_are_those_that_decode_finds(here: Here) -> None:
    sampled = fed(here, b"", "sample", "--type", "all", "--security", "mode7", "--count", "9", "--jsonl").stdout
    compared = 0
    for line, got in zip(sampled.splitlines(), answers(here, sampled.splitlines(), "decode", "--jsonl"), strict=True):
        records = {r["dif_vif"]: r for r in got["records"]}
        for value in json.loads(line)["values"]:
            record = records[value["dif_vif"]]
            for name in ("quantity", "unit", "storage_number", "tariff", "subunit", "function"):
                assert record[name] == value[name]
            element = value["element"]
            found = record["value"] if element is None else record["points"][element]["value"]
            assert found == value["value"], (record, value)
            compared += 1
    assert compared > 9 * 150


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--type", "vipa"], "no meter type 'vipa'"),
        (["--type", "all", "--count", "0"], "'0' is not a whole number between 1 and 10000000"),
        (["--type", "all", "--security", "mode6"], "invalid choice: 'mode6'"),
        (["--type", "all", "--seed", "-1"], "-1 is not between 0 and 2**64 - 1"),
        ([], "the following arguments are required: --type"),
    ],
)
def test_what_cannot_be_sampled(here: Here, words: list[str], says: str) -> None:
    assert says in refused(here, "sample", *words)
