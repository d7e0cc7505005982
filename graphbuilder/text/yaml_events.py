"""PyYAML's parsers, the C one and the Python one, made to agree.

Both read line breaks as YAML 1.1 has them; `shielded` hides the three characters that YAML 1.2 no longer counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from yaml.error import Mark
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import DirectiveToken, ScalarToken

__all__ = ["Event", "EventParser", "ParserType", "PythonParser", "events", "shielded"]


class Event(Protocol):
    """What the events of a parser have; those of some kinds lack some attributes."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None
    flow_style: bool | None


class _Parser(Protocol):
    def get_event(self) -> Any: ...


class ParserType(Protocol):
    """A class of PyYAML that turns a text into events."""

    def __call__(self, text: str, /) -> _Parser: ...


_BLANKS_AND_BREAKS = " \t\r\n"
_ENDS = "\0 \t\r\n"
_FLOW_INDICATORS = ",[]{}"


class PythonParser(Reader, Scanner, Parser):
    """PyYAML's own parser, overridden where it differs from libyaml.

    It refuses tabs between tokens and inside plain scalars, and `?` inside plain scalars in flow style, all of which
    libyaml and YAML 1.2 accept; it accepts unknown directives and some tabs in block scalars.
    """

    def __init__(self, text: str, /) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        """Skips blanks, comments and line breaks."""
        while True:
            # Where a key may begin, blanks are indentation, and a tab is an error.
            blanks = " \t" if self.flow_level or not self.allow_simple_key else " "
            while self.peek() in blanks:
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0\r\n":
                    self.forward()
            if self.peek() not in "\r\n":
                return
            self._skip_break()
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_directive(self) -> DirectiveToken:
        """Reads a line that begins with `%`."""
        token = super().scan_directive()
        if token.name not in ("YAML", "TAG"):
            problem = "found unknown directive name"
            raise ScannerError("while scanning a directive", token.start_mark, problem, token.end_mark)
        return token

    def check_key(self) -> bool:
        """Whether the `?` at hand begins a complex key."""
        return bool(self.flow_level) or self.peek(1) in _ENDS

    def check_plain(self) -> bool:
        """Whether a plain scalar begins here."""
        first, second = self.peek(), self.peek(1)
        if first not in "\0 \t\r\n-?:,[]{}#&*!|>'\"%@`":
            return True
        if first == "-":
            return second not in " \t"
        return first in "?:" and not self.flow_level and second not in _ENDS

    def scan_plain(self) -> ScalarToken:
        """Reads a plain scalar, over several lines if need be."""
        chunks: list[str] = []
        start_mark = end_mark = self.get_mark()
        indent = self.indent + 1
        gap = ""
        while self.peek() != "#" and not self._at_document_indicator():
            length = self._plain_length(start_mark)
            if length == 0:
                break
            self.allow_simple_key = False
            chunks += (gap, self.prefix(length))
            self.forward(length)
            end_mark = self.get_mark()
            if self.peek() not in _BLANKS_AND_BREAKS:
                break
            gap, broken = self._plain_gap(indent, start_mark)
            if broken:
                self.allow_simple_key = True
            if not self.flow_level and self.column < indent:
                break
        return ScalarToken("".join(chunks), True, start_mark, end_mark)

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], Mark]:
        """Skips the empty lines and the indentation inside a block scalar."""
        breaks, end_mark = super().scan_block_scalar_breaks(indent)
        if self.peek() == "\t" and self.column < indent:
            problem = "found a tab character where an indentation space is expected"
            raise ScannerError("while scanning a block scalar", None, problem, self.get_mark())
        return breaks, end_mark

    def _skip_break(self) -> None:
        self.forward(2 if self.prefix(2) == "\r\n" else 1)

    def _at_document_indicator(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS

    def _plain_length(self, start_mark: Mark) -> int:
        length = 0
        while (character := self.peek(length)) not in _ENDS:
            if self.flow_level and character in _FLOW_INDICATORS:
                break
            if character == ":":
                following = self.peek(length + 1)
                if following in _ENDS:
                    break
                if self.flow_level and following in ",?[]{}":
                    self.forward(length)
                    problem = "found unexpected ':'"
                    raise ScannerError("while scanning a plain scalar", start_mark, problem, self.get_mark())
            length += 1
        return length

    def _plain_gap(self, indent: int, start_mark: Mark) -> tuple[str, bool]:
        """Skips blanks and line breaks inside a plain scalar: what they stand for, and whether there was a break."""
        blanks = ""
        breaks = 0
        while (character := self.peek()) in _BLANKS_AND_BREAKS:
            if character in "\r\n":
                self._skip_break()
                breaks += 1
                continue
            if breaks and character == "\t" and self.column < indent:
                problem = "found a tab character that violates indentation"
                raise ScannerError("while scanning a plain scalar", start_mark, problem, self.get_mark())
            if not breaks:
                blanks += character
            self.forward()
        if not breaks:
            return blanks, False
        return ("\n" * (breaks - 1) or " "), True


try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML was built without libyaml.
    EventParser: ParserType = PythonParser
else:
    EventParser = CParser


def events(text: str, parser_type: ParserType) -> Iterator[Event]:
    """The events of a text, one at a time, so that a reader can stop before an abusive text is read to its end.

    Raises:
        yaml.YAMLError: the text is not YAML.
    """
    get_event = parser_type(text).get_event
    while (event := get_event()) is not None:
        yield event


_OLD_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")


def shielded(text: str) -> tuple[str, dict[int, int]]:
    """The text with those characters replaced that YAML 1.1 gives a meaning and YAML 1.2 does not.

    The stand-ins are code points that Unicode keeps free for a program's own use, one for each, so that no offset
    changes.

    Returns:
        The text, and the table with which `str.translate` brings the characters back.
    """
    if _OLD_BREAKS.search(text) is None:
        return text, {}
    free = (code for code in range(0xFDD0, 0xFDF0) if chr(code) not in text)
    table = dict(zip((0x85, 0x2028, 0x2029, 0xFEFF), free, strict=False))
    return text.translate(table), {stand_in: code for code, stand_in in table.items()}
