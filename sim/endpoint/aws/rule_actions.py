"""What a topic rule does with its output: the actions of the talk's system, each against something local.

    republish     a message to another topic            s3           a file, its name by a template
    timestream    rows of a table of time series        sqs          a line of a queue's file
    lambda        a program that gets the output

A rule comes as AWS's own payload of CreateTopicRule: {"ruleName", "topicRulePayload": {"sql", "awsIotSqlVersion",
"ruleDisabled", "actions": [...]}}. An action that fails is told of and runs the rule's errorAction, if it has one.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.endpoint.aws.bill import Meter, units
from sim.endpoint.aws.rule_function import Facts
from sim.endpoint.aws.rule_values import UNDEFINED, NotJson, Value, parse
from sim.endpoint.aws.rules import NO_ACTION, Rule, RuleError, encoded
from sim.endpoint.aws.shadows import Reply
from sim.endpoint.aws.topics import ingested

_KINDS: Final = ("republish", "s3", "timestream", "sqs", "lambda")
_NEEDS: Final = {
    "republish": ("topic",), "s3": ("bucketName", "key"), "timestream": ("tableName", "dimensions"),
    "sqs": ("queueUrl",), "lambda": ("functionArn",),
}  # fmt: skip
_PLAIN: Final = re.compile(r"[A-Za-z0-9._ =+@:()!'*-]{1,200}")
_TABLE: Final = re.compile(r"[A-Za-z0-9_.-]{3,256}")
FUNCTION_DEADLINE_S: Final = 2.0  # "should be completed within 2000 milliseconds" (iot-sql-functions)


class ActionFailed(Exception):
    """The message says which action and why."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A rule and its actions: (kind, its settings)."""

    rule: Rule
    actions: tuple[tuple[str, Mapping[str, Any]], ...]
    on_error: tuple[tuple[str, Mapping[str, Any]], ...]


def installed(document: Any) -> Installed:
    """A rule from AWS's payload. Raises RuleError."""
    if not isinstance(document, dict) or not isinstance(document.get("topicRulePayload", document), dict):
        raise RuleError("a rule is a JSON object with ruleName and topicRulePayload")
    name, payload = str(document.get("ruleName", "")), document.get("topicRulePayload", document)
    if not isinstance(payload.get("sql"), str):
        raise RuleError(f"rule {name!r}: no 'sql'")
    try:
        rule = Rule(payload["sql"], payload.get("awsIotSqlVersion", "2015-10-08"), name=name)
    except RuleError as error:
        raise RuleError(f"rule {name!r}: {error}") from None
    asked = payload.get("actions")
    if not isinstance(asked, list) or not 0 < len(asked) <= 10:
        raise RuleError(f"rule {name!r}: 'actions' is to be a list of one to ten")
    wrong = payload.get("errorAction")
    return Installed(
        rule, tuple(_action(rule, one) for one in asked), (_action(rule, wrong),) if wrong is not None else ()
    )


def _action(rule: Rule, found: Any) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(found, dict) or len(found) != 1:
        raise RuleError(f"rule {rule.name!r}: an action is an object with one key: {', '.join(_KINDS)}")
    kind, settings = next(iter(found.items()))
    if kind not in _KINDS:
        raise RuleError(f"rule {rule.name!r}: no action {kind!r} here; there are: {', '.join(_KINDS)}")
    missing = [key for key in _NEEDS[kind] if key not in settings] if isinstance(settings, dict) else _NEEDS[kind]
    if missing:
        raise RuleError(f"rule {rule.name!r}: action {kind} lacks {missing[0]!r}")
    fields = {key: settings[key] for key in _NEEDS[kind]}
    if kind == "timestream":
        fields |= _dimensions(rule, fields.pop("dimensions"))
    for key, template in fields.items():
        try:
            rule.check_template(str(template))
        except RuleError as error:
            raise RuleError(f"rule {rule.name!r}: action {kind}, {key!r}: {error}") from None
    if kind == "republish" and settings.get("qos", 0) not in (0, 1):
        raise RuleError(f"rule {rule.name!r}: action republish: 'qos' is 0 or 1, not {settings['qos']!r}")
    return kind, settings


def _dimensions(rule: Rule, found: Any) -> dict[str, Any]:
    pairs = isinstance(found, list) and all(isinstance(one, dict) and {"name", "value"} <= one.keys() for one in found)
    if not pairs:
        raise RuleError(f"rule {rule.name!r}: action timestream: 'dimensions' is a list of {{\"name\", \"value\"}}")
    return {f"dimensions.{one['name']}": one["value"] for one in found}


class Actions:
    """All rules of an account. `directory` is where files, queues and tables go; `publish(topic, payload, qos)`;
    `functions`: the last part of a function's ARN -> the program to run; `failed(rule, why)`; `draw`: see Facts."""

    def __init__(
        self,
        rules: Sequence[Installed],
        directory: Path,
        publish: Callable[[str, bytes, int], None],
        failed: Callable[[str, str], None],
        functions: Mapping[str, Sequence[str]] | None = None,
        draw: Callable[[], float] = lambda: 0.5,
    ) -> None:
        self.rules = tuple(rules)
        self.draw = draw
        self._directory, self._publish, self._failed = directory, publish, failed
        self._functions = dict(functions or {})
        self._table: sqlite3.Connection | None = None

    def reply(self, prefix: str, replies: Sequence[Reply]) -> None:
        """Publish what the shadow service answers."""
        for one in replies:
            self._publish(f"{prefix}/{one.suffix}", json.dumps(one.document, separators=(",", ":")).encode(), 1)

    def handle(self, payload: bytes, facts: Facts, meter: Meter) -> None:
        """Every rule that hears the message, in order."""
        ingest = ingested(facts.topic)
        heard = [one for one in self.rules if one.rule.hears(facts.topic) is not None]
        if ingest is not None and not heard:
            self._failed(ingest[0], "RuleNotFound: Basic Ingest names a rule that does not exist")
        for one in heard:
            size = units(len(facts.topic.encode()), len(payload))
            meter.rules += size
            output = one.rule.output(payload, facts)
            if output is NO_ACTION:
                continue
            data = encoded(output)
            for kind, settings in one.actions:
                meter.actions += size
                try:
                    self._act(one.rule, kind, settings, data, payload, facts)
                except (ActionFailed, RuleError, OSError, sqlite3.Error) as error:
                    self._failed(one.rule.name, f"{kind}: {error}")
                    self._rescue(one, payload, facts, str(error))

    def _rescue(self, one: Installed, payload: bytes, facts: Facts, why: str) -> None:
        report = json.dumps({"ruleName": one.rule.name, "topic": facts.topic, "failures": [{"errorMessage": why}]})
        for kind, settings in one.on_error:
            try:
                self._act(one.rule, kind, settings, report.encode(), payload, facts)
            except (ActionFailed, RuleError, OSError, sqlite3.Error) as error:
                self._failed(one.rule.name, f"errorAction {kind}: {error}")

    def _act(
        self, rule: Rule, kind: str, settings: Mapping[str, Any], data: bytes, payload: bytes, facts: Facts
    ) -> None:
        def filled(key: str) -> str:
            return rule.substituted(str(settings[key]), payload, facts)

        if kind == "republish":
            self._publish(rule.republished(str(settings["topic"]), payload, facts), data, int(settings.get("qos", 0)))
        elif kind == "s3":
            self._store(filled("bucketName"), filled("key"), data)
        elif kind == "sqs":
            self._append(_safe(filled("queueUrl").rstrip("/").rsplit("/", 1)[-1]), data)
        elif kind == "timestream":
            self._record(filled("tableName"), rule, settings, data, payload, facts)
        else:
            self.call(filled("functionArn"), data)

    # --- where things go -----------------------------------------------------------------------------------------

    def _store(self, bucket: str, key: str, data: bytes) -> None:
        """A file below the bucket's folder, whatever the key says: it may come from a payload. Whole or not at all, as
        an object of S3 is."""
        parts = [_safe(part) for part in key.split("/") if part]
        if not parts:
            raise ActionFailed("the key is empty")
        place = self._directory.joinpath("s3", _safe(bucket), *parts)
        new = self._directory / "s3.new"
        place.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(data)
        new.replace(place)

    def _append(self, queue: str, data: bytes) -> None:
        place = self._directory / "sqs" / f"{queue}.jsonl"
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"body": data.decode("utf-8", "replace")}) + "\n")

    def _record(
        self, table: str, rule: Rule, settings: Mapping[str, Any], data: bytes, payload: bytes, facts: Facts
    ) -> None:
        """A row for each attribute of the output: time, dimensions, name, value (timestream-rule-action)."""
        if not _TABLE.fullmatch(table):
            raise ActionFailed(f"no table can be named {table[:60]!r}")
        try:
            measures = json.loads(data)
        except ValueError:
            measures = None
        if not isinstance(measures, dict):
            raise ActionFailed("the output is no object of measures")
        dimensions = {
            str(one["name"]): rule.substituted(str(one["value"]), payload, facts)
            for one in settings["dimensions"]
        }
        rows = [
            (table, facts.clock_ms, json.dumps(dimensions, sort_keys=True), name, json.dumps(value))
            for name, value in measures.items()
            if isinstance(value, bool | int | float | str)
        ]
        if self._table is None:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._table = sqlite3.connect(self._directory / "timestream.sqlite")
            self._table.execute(
                "CREATE TABLE IF NOT EXISTS records (table_name TEXT, time_ms INTEGER, dimensions TEXT, "
                "measure_name TEXT, measure_value TEXT)"
            )
        with self._table:
            self._table.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?)", rows)

    def answer(self, function: str, argument: Value) -> Value:
        """aws_lambda() in a statement: UNDEFINED where the function cannot be called."""
        try:
            return parse(json.dumps(self.call(function, encoded(argument))))
        except (ActionFailed, NotJson, OSError):
            return UNDEFINED

    def call(self, function: str, data: bytes, deadline_s: float = FUNCTION_DEADLINE_S) -> Any:
        """A function's answer, parsed; its program gets the event on standard input. Raises ActionFailed."""
        program = self._functions.get(function.rsplit(":", 1)[-1])
        if program is None:
            raise ActionFailed(f"no function {function[:120]!r}")
        try:
            done = subprocess.run(list(program), input=data, capture_output=True, timeout=deadline_s, check=False)
        except subprocess.TimeoutExpired:
            raise ActionFailed(f"{function[:120]!r} took more than {deadline_s:.0f} s") from None
        if done.returncode:
            raise ActionFailed(f"{function[:120]!r} ended with {done.returncode}")
        try:
            return json.loads(done.stdout) if done.stdout.strip() else None
        except ValueError:
            raise ActionFailed(f"{function[:120]!r} gave no JSON") from None


def _safe(name: str) -> str:
    """A name that stays in its folder."""
    if not _PLAIN.fullmatch(name) or set(name) <= {"."}:
        raise ActionFailed(f"no file can be named {name[:60]!r}")
    return name
