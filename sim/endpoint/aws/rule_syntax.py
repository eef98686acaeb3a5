"""AWS IoT SQL as a tree (developer guide: iot-sql-reference and the pages below it).

    [SET @name = expression, ...] SELECT [VALUE] item, ... [FROM 'filter'] [WHERE expression]

Keywords and names of functions may be written in any case, keys of the payload may not. Both quotes make a String. A
statement that does not parse is refused with the place, as the service refuses it when the rule is created.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from sim.endpoint.aws.rule_tree import (
    Array,
    Binary,
    Call,
    Case,
    Cast,
    Item,
    Literal,
    Member,
    Name,
    Node,
    Object,
    Query,
    RuleError,
    Select,
    Star,
    Unary,
    Variable,
)
from sim.endpoint.aws.rule_values import UNDEFINED, V1, bounded

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?)(?![A-Za-z_])
    |(?P<word>[A-Za-z_$][A-Za-z0-9_$]*)|(?P<variable>@[A-Za-z0-9_]{1,64}(?![A-Za-z0-9_]))
    |'(?P<single>(?:[^'\\]|''|\\.)*)'|"(?P<double>(?:[^"\\]|""|\\.)*)"
    |(?P<sign><>|<=|>=|[-+*/%=<>().,\[\]{}:]))""",
    re.VERBOSE | re.DOTALL,
)
_TYPES: Final = {
    "string": "string", "nvarchar": "string", "text": "string", "ntext": "string", "varchar": "string", "int": "int",
    "integer": "int", "double": "decimal", "decimal": "decimal", "bool": "boolean", "boolean": "boolean",
}  # fmt: skip
_TYPES_OF_V2: Final = ("decimal", "bool", "boolean")
_LEVELS: Final = ((("OR",),), (("AND",),), (("NOT",),), (("=", "<>", "<", "<=", ">", ">=", "IN"),),
                  (("+", "-"),), (("*", "/", "%"),))  # fmt: skip
_DEEPEST: Final = 48
_LONGEST: Final = 32_768


def statement(sql: str, version: str, check: Callable[[str, str], None]) -> Select:
    """A rule's statement. `check(name, version)` raises RuleError for a function that is not known or not in
    this version. Raises RuleError."""
    parser = _Parser(sql, version, check)
    select = parser.select(top=True)
    parser.end()
    return select


def expression(text: str, start: int, version: str, check: Callable[[str, str], None]) -> tuple[Node, int]:
    """The expression that begins there and ends before a `}`, and where it ends. Raises RuleError."""
    parser = _Parser(text, version, check, start)
    node = parser.any()
    if parser.sign != "}":
        raise parser.wrong("'}'")
    return node, parser.at


class _Parser:
    def __init__(self, text: str, version: str, check: Callable[[str, str], None], start: int = 0) -> None:
        if len(text) > _LONGEST:
            raise RuleError(f"a statement of {len(text)} characters; at most {_LONGEST} are read")
        self.text, self.version, self.check = text, version, check
        self.next, self.depth = start, 0
        self.template = start > 0
        self.step()

    # --- tokens --------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Go to the next token."""
        self.at = self.next
        self.kind = self.word = self.sign = ""
        match = _TOKEN.match(self.text, self.next)
        if match is None:
            rest = self.text[self.next :]
            if rest.strip():
                raise self.wrong("a word, number, string or sign")
            return
        self.kind, self.next = match.lastgroup or "", match.end()
        self.token = match[self.kind]
        if self.kind == "word":
            self.word = self.token.upper()
        if self.kind == "sign":
            self.sign = self.token
        self.at = match.start(self.kind)

    def wrong(self, wanted: str) -> RuleError:
        found = repr(self.text[self.at :].strip()[:20]) if self.text[self.at :].strip() else "the end"
        return RuleError(f"character {self.at + 1}: {found} stands where {wanted} should")

    def end(self) -> None:
        if self.kind:
            raise self.wrong("the end of the statement")

    def take(self, *words: str) -> str:
        """Pass one of these words or signs; empty when there is none of them."""
        found = self.word or self.sign
        if found and found in words:
            self.step()
            return found
        return ""

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.wrong(repr(word))

    # --- SELECT --------------------------------------------------------------------------------------------------

    def select(self, *, top: bool = False) -> Select:
        variables = self._variables() if top and self.take("SET") else ()
        self.need("SELECT")
        as_value = self._is_value_keyword()
        if as_value:
            self.step()
        items = [self._item(as_value=as_value)]
        while self.take(","):
            items.append(self._item(as_value=as_value))
        if as_value and len(items) > 1:
            raise RuleError("SELECT VALUE takes one item")
        source: Node | None = None
        if self.take("FROM"):
            source = self._filter() if top else self.any()
        elif not top:
            raise self.wrong("FROM of a nested SELECT")
        where = self.any() if self.take("WHERE") else None
        return Select(tuple(items), as_value, source, where, variables)

    def _variables(self) -> tuple[tuple[str, Node], ...]:
        found: dict[str, Node] = {}
        while True:
            if self.kind != "variable":
                raise self.wrong("a variable (@name)")
            name = self.token
            if name in found:
                raise RuleError(f"{name} is set twice")
            self.step()
            self.need("=")
            found[name] = self.any()
            if not self.take(","):
                return tuple(found.items())

    def _filter(self) -> Literal:
        if self.kind not in ("single", "double"):
            raise self.wrong("a topic filter in single quotes")
        found = Literal(self._string())
        self.step()
        return found

    def _is_value_keyword(self) -> bool:
        """VALUE may also be a key of the payload: then an operator, a comma, AS, FROM or the end follows it."""
        if self.word != "VALUE":
            return False
        after = _TOKEN.match(self.text, self.next)
        if after is None:
            return False
        if after["word"]:
            return after["word"].upper() not in ("AS", "FROM", "WHERE", "AND", "OR", "IN")
        return after["sign"] in (None, "*", "(", "[", "{", "-")

    def _item(self, *, as_value: bool) -> Item:
        start = self.at
        node = self.any(spread=not as_value)
        text = self.text[start : self.at].strip()
        if self.take("AS"):
            return Item(node, self._alias())
        if isinstance(node, Star) or (isinstance(node, Member) and node.name == "*"):
            return Item(node.base if isinstance(node, Member) else node, ())
        if isinstance(node, Name | Member):
            return Item(node, (node.name,))
        return Item(node, (text,))

    def _alias(self) -> tuple[str, ...]:
        if self.kind in ("single", "double"):
            name = self._string()
            self.step()
            return (name,)
        names = [self._key()]
        while self.take("."):
            names.append(self._key())
        return tuple(names)

    def _key(self) -> str:
        if self.kind != "word":
            raise self.wrong("a name")
        name = self.token
        self.step()
        return name

    # --- expressions ---------------------------------------------------------------------------------------------

    def any(self, *, spread: bool = False) -> Node:
        """An expression. `spread`: a.* may end it."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RuleError(f"character {self.at + 1}: more than {_DEEPEST} levels of nesting")
        node = self._level(0, spread)
        self.depth -= 1
        return node

    def _level(self, level: int, spread: bool) -> Node:
        if level == len(_LEVELS):
            return self._unary(spread)
        operators = _LEVELS[level][0]
        if operators == ("NOT",):
            if self.take("NOT"):
                self.depth += 1
                if self.depth > _DEEPEST:
                    raise RuleError(f"character {self.at + 1}: more than {_DEEPEST} levels of nesting")
                node: Node = Unary("NOT", self._level(level, False))
                self.depth -= 1
                return node
            return self._level(level + 1, spread)
        left = self._level(level + 1, spread)
        while operator := self.take(*operators):
            left = Binary(operator, left, self._level(level + 1, False))
        return left

    def _unary(self, spread: bool) -> Node:
        signs = 0
        while found := self.take("-", "+"):
            signs += found == "-"
        node = self._member(spread)
        if signs % 2 == 0:
            return node
        if isinstance(node, Literal) and isinstance(node.value, int | Decimal):
            return Literal(-node.value)
        return Unary("-", node)

    def _member(self, spread: bool) -> Node:
        node = self._primary()
        while self.take("."):
            if spread and self.sign == "*":
                self.step()
                return Member(node, "*")
            node = Member(node, self._key())
        return node

    def _primary(self) -> Node:
        if self.kind == "number":
            value = bounded(Decimal(self.token), self.version) if not self.token.isdigit() else int(self.token)
            self.step()
            return Literal(value)
        if self.kind in ("single", "double"):
            found = Literal(self._string())
            self.step()
            return found
        if self.kind == "variable":
            name = self.token
            self.step()
            return Variable(name)
        if self.take("*"):
            return Star()
        if self.take("("):
            return self._parentheses()
        if self.sign in ("[", "{") and self.version == V1:
            raise RuleError(f"character {self.at + 1}: literal arrays and objects need SQL version 2016-03-23")
        if self.take("["):
            return Array(tuple(self._listed("]")))
        if self.take("{"):
            return self._object()
        if self.kind == "word":
            return self._worded()
        raise self.wrong("an expression")

    def _parentheses(self) -> Node:
        node: Node
        if self.word == "SELECT":
            node = self._nested()
        else:
            node = self.any()
        self.need(")")
        return node

    def _nested(self, *, exists: bool = False) -> Query:
        if self.version == V1:
            raise RuleError(f"character {self.at + 1}: nested queries need SQL version 2016-03-23")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise RuleError(f"character {self.at + 1}: more than {_DEEPEST} levels of nesting")
        query = Query(self.select(), exists)
        self.depth -= 1
        return query

    def _listed(self, closing: str) -> list[Node]:
        items: list[Node] = []
        if self.take(closing):
            return items
        while True:
            items.append(self.any())
            if self.take(closing):
                return items
            self.need(",")

    def _object(self) -> Object:
        pairs: list[tuple[str, Node]] = []
        while not self.take("}"):
            if pairs:
                self.need(",")
            if self.kind not in ("single", "double"):
                raise self.wrong("a key in quotes")
            key = self._string()
            self.step()
            self.need(":")
            pairs.append((key, self.any()))
        return Object(tuple(pairs))

    def _worded(self) -> Node:
        word, name = self.word, self.token
        called = self.text[self.next :].lstrip()[:1] == "("
        if word in ("TRUE", "FALSE", "NULL") and not called:
            self.step()
            return Literal({"TRUE": True, "FALSE": False, "NULL": None}[word])
        if word == "CASE":
            return self._case()
        if word == "EXISTS" and called:
            self.step()
            self.need("(")
            query = self._nested(exists=True)
            self.need(")")
            return query
        if word in ("SELECT", "FROM", "WHERE", "AS", "AND", "OR", "WHEN", "THEN", "ELSE", "END"):
            raise self.wrong("an expression")
        self.step()
        if not called:
            return Name(name)
        self.need("(")
        return self._cast() if word == "CAST" else self._call(name.lower())

    def _call(self, name: str) -> Call:
        arguments = tuple(self._listed(")"))
        self.check(name, self.version)
        return Call(name, arguments)

    def _cast(self) -> Cast:
        value = self.any()
        self.need("AS")
        kind = self._key().lower()
        if kind not in _TYPES or (self.version == V1 and kind in _TYPES_OF_V2):
            raise RuleError(f"no type {kind!r} to cast to; there are: {', '.join(sorted(_TYPES))}")
        self.need(")")
        return Cast(value, _TYPES[kind])

    def _case(self) -> Case:
        self.need("CASE")
        value, branches = self.any(), []
        while self.take("WHEN"):
            test = self.any()
            self.need("THEN")
            branches.append((test, self.any()))
        if not branches:
            raise self.wrong("WHEN")
        otherwise = self.any() if self.take("ELSE") else Literal(UNDEFINED)
        self.need("END")
        return Case(value, tuple(branches), otherwise)

    def _string(self) -> str:
        """A doubled quote, or one behind a backslash, is the quote; other backslashes stay, for regular expressions."""
        quote = "'" if self.kind == "single" else '"'
        return self.token.replace(quote * 2, quote).replace("\\" + quote, quote)
