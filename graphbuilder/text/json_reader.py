"""JSON, as RFC 8259 has it, to a tree with positions, within limits."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from enum import Enum, auto
from json.decoder import scanstring  # type: ignore[attr-defined]  # public, but not in typeshed

from graphbuilder.text.json_mistakes import explain, explain_string
from graphbuilder.text.limits import TextLimits
from graphbuilder.text.problems import Problems, ReadingStopped
from graphbuilder.text.refusals import (
    SURROGATE,
    refuse_depth,
    refuse_duplicate,
    refuse_number,
    refuse_surrogate,
    refuse_unclosed,
    refuse_values,
)
from graphbuilder.text.scalars import NumberTooLarge, read_number
from graphbuilder.text.tree import Mapping, Node, Scalar, ScalarStyle, ScalarValue, Sequence

__all__ = ["read_json"]

_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r"""(?P<punctuation>[{}\[\],:])
    |"(?P<string>[^"\\\x00-\x1f]*)"
    |(?P<number>-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?))(?![\w.+])
    |(?P<word>true|false|null)(?!\w)
    """,
    re.VERBOSE,
)
_WORDS: dict[str, ScalarValue] = {"true": True, "false": False, "null": None}


class _Expected(Enum):
    """What may come next."""

    VALUE = auto()
    VALUE_OR_END = auto()
    KEY = auto()
    KEY_OR_END = auto()
    COLON = auto()
    COMMA_OR_END = auto()
    NOTHING = auto()


def read_json(text: str, file: str, limits: TextLimits) -> Node:
    """The tree of a JSON text.

    Arguments:
        text: the text, without a byte order mark.
        file: the file's name, for messages.
        limits: the budgets.

    Raises:
        BlueprintError: GB103 to GB113, everything that could be found.
    """
    problems = Problems(file, text, limits)
    reader = _Reader(text, problems, limits)
    with suppress(ReadingStopped):
        reader.read()
    problems.raise_if_any()
    return reader.roots.items[0]


class _Reader:
    def __init__(self, text: str, problems: Problems, limits: TextLimits) -> None:
        self.text = text
        self.problems = problems
        self.limits = limits
        self.at = 0
        self.values = 0
        self.roots = Sequence(0, 0, False)
        self.open: list[Sequence | Mapping] = [self.roots]
        self.key: Scalar | None = None
        # The keys of each open collection; None for a list, and for the text itself.
        self.names: list[dict[str, Scalar] | None] = [None]
        self.interned: dict[str, str] = {}

    def read(self) -> None:
        text = self.text
        expected = _Expected.VALUE
        while True:
            self.at = at = _skip_blanks(text, self.at)
            if at == len(text):
                break
            token = _TOKEN.match(text, at)
            kind = token.lastgroup if token is not None else None
            if token is not None and kind == "punctuation":
                self.at = at + 1
                expected = self._punctuation(token[0], at, expected)
            elif expected is _Expected.KEY or expected is _Expected.KEY_OR_END:
                expected = self._key(token, expected)
            elif expected is _Expected.VALUE or expected is _Expected.VALUE_OR_END:
                self._place(self._scalar(token, expected))
                expected = self._after_value()
            else:
                self._refuse(at, expected)
        self._finish(expected)

    def _finish(self, expected: _Expected) -> None:
        if not self.roots.items:
            hint = 'a blueprint begins with `{"blueprint": 1`'
            self.problems.stop("GB111", 0, 0, "the file is empty", hint=hint)
        if expected is not _Expected.NOTHING:
            refuse_unclosed(self.problems, self.open[-1].start)
            raise ReadingStopped

    def _after_value(self) -> _Expected:
        return _Expected.NOTHING if len(self.open) == 1 else _Expected.COMMA_OR_END

    def _punctuation(self, token: str, at: int, expected: _Expected) -> _Expected:
        if token in "{[":
            if expected is _Expected.VALUE or expected is _Expected.VALUE_OR_END:
                return self._begin(token, at)
        elif token in "}]":
            closes = token == ("}" if self.names[-1] is not None else "]")
            if closes and expected in (_Expected.COMMA_OR_END, _Expected.VALUE_OR_END, _Expected.KEY_OR_END):
                return self._end(at)
        elif token == ",":
            if expected is _Expected.COMMA_OR_END:
                return _Expected.VALUE if self.names[-1] is None else _Expected.KEY
        elif expected is _Expected.COLON:
            return _Expected.VALUE
        self._refuse(at, expected)
        return expected

    def _begin(self, token: str, at: int) -> _Expected:
        if len(self.open) > self.limits.depth:
            refuse_depth(self.problems, at, at + 1, self.limits)
        node = Mapping(at, at + 1, True) if token == "{" else Sequence(at, at + 1, True)
        self._place(node)
        self.open.append(node)
        self.names.append({} if token == "{" else None)
        return _Expected.KEY_OR_END if token == "{" else _Expected.VALUE_OR_END

    def _end(self, at: int) -> _Expected:
        self.open.pop().end = at + 1
        self.names.pop()
        return self._after_value()

    def _place(self, node: Node) -> None:
        self.values += 1
        if self.values > self.limits.values:
            refuse_values(self.problems, node, self.limits)
        into = self.open[-1]
        if isinstance(into, Sequence):
            into.items.append(node)
        else:
            assert self.key is not None
            into.entries.append((self.key, node))

    def _key(self, token: re.Match[str] | None, expected: _Expected) -> _Expected:
        at = self.at
        if self.text[at] != '"':
            if token is None:
                self._refuse(at, expected)
                return expected
            fix = json.dumps(token[0])
            message = f"the key {token[0]} is not a string"
            self.problems.add("GB109", at, token.end(), message, found=token[0], hint="quote it", fix=fix)
            key = Scalar(at, token.end(), ScalarStyle.PLAIN, token[0])
            self.at = token.end()
        else:
            key = self._string(token)
        names = self.names[-1]
        assert names is not None
        first = names.setdefault(str(key.value), key)
        if first is not key:
            refuse_duplicate(self.problems, key, first, self.open[1:-1])
        self.key = key
        return _Expected.COLON

    def _scalar(self, token: re.Match[str] | None, expected: _Expected) -> Scalar:
        at = self.at
        if self.text[at] == '"':
            return self._string(token)
        if token is None:
            self._refuse(at, expected)
            raise AssertionError
        self.at = end = token.end()
        written = token[0]
        if token.lastgroup == "word":
            return Scalar(at, end, ScalarStyle.PLAIN, _WORDS[written])
        value: ScalarValue = None
        try:
            value = read_number(written, not token["fraction"], self.limits.digits)
        except NumberTooLarge as error:
            refuse_number(self.problems, at, end, error)
        return Scalar(at, end, ScalarStyle.PLAIN, value)

    def _string(self, token: re.Match[str] | None) -> Scalar:
        at = self.at
        if token is not None:
            value, end = token["string"], token.end()
        else:
            try:
                value, end = scanstring(self.text, at + 1, True)
            except json.JSONDecodeError as error:
                explain_string(self.problems, at, error)
                raise ReadingStopped from error
            if SURROGATE.search(value):
                refuse_surrogate(self.problems, at, end)
        self.at = end
        return Scalar(at, end, ScalarStyle.DOUBLE_QUOTED, self.interned.setdefault(value, value))

    def _refuse(self, at: int, expected: _Expected) -> None:
        explain(self.problems, at, expected.name, [node.start for node in self.open[1:]])
        raise ReadingStopped


def _skip_blanks(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank is not None else at
