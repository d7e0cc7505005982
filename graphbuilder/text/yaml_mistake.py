"""A parser's complaint about YAML, with the text around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from graphbuilder.text.tree import Node

__all__ = ["Mistake", "indentation", "line_above", "start_of_line"]

# Strangers' texts meet the patterns: no line is looked at beyond this many characters.
_LINE = re.compile(r"[^\r\n]{0,1000}")
_COMMENT = re.compile(r"(?<=\s)#.*")
_NOTHING_MORE = re.compile(r"(?:\s++|#[^\r\n]*+)*+\Z")


@dataclass(frozen=True, slots=True)
class Mistake:
    """A parser's complaint, and the text around it.

    Arguments:
        text: the whole text.
        at: the offset at which the parser stopped.
        opened: the offset at which what it was reading began.
        context: what it was reading, in its words.
        problem: what it complains of, in its words.
        last: the last node that was complete.
        brackets: the offsets of the brackets and braces that are open, outermost first.
    """

    text: str
    at: int
    opened: int
    context: str
    problem: str
    last: Node | None
    brackets: list[int]

    @classmethod
    def from_error(cls, error: yaml.YAMLError, text: str, last: Node | None, brackets: list[int]) -> Mistake:
        """The mistake behind an error of PyYAML's."""
        if not isinstance(error, yaml.MarkedYAMLError):
            return cls(text, 0, 0, "", str(error), last, brackets)
        at = min(error.problem_mark.index if error.problem_mark else 0, len(text))
        opened = min(error.context_mark.index, at) if error.context_mark else at
        return cls(text, at, opened, error.context or "", error.problem or "", last, brackets)

    @property
    def character(self) -> str:
        """What stands where the parser stopped; empty at the end of the text."""
        return self.text[self.at : self.at + 1]

    @property
    def line_start(self) -> int:
        """The offset of the line on which the parser stopped."""
        return start_of_line(self.text, self.at)

    @property
    def before(self) -> str:
        """What stands on that line before the place."""
        return self.text[self.line_start : self.at]

    @property
    def at_end(self) -> bool:
        """Whether nothing but blanks and comments follows."""
        return _NOTHING_MORE.match(self.text, self.at) is not None

    def rest(self, start: int) -> str:
        """What stands from an offset to the end of its line, without a comment."""
        match = _LINE.match(self.text, start)
        return _COMMENT.sub("", match[0]).rstrip() if match else ""

    def word(self) -> str:
        """The text at the place, as a message shows it."""
        if self.at_end:
            return "the end of the file"
        rest = self.rest(self.at)
        found = re.match(r"[^\W_][\w.$-]*|.", rest)
        return f"`{found[0]}`" if found else "the end of the line"


def start_of_line(text: str, offset: int) -> int:
    """The offset of the beginning of the line that an offset is on."""
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def indentation(line: str) -> int:
    """How many spaces a line begins with."""
    return len(line) - len(line.lstrip(" "))


def line_above(text: str, line_start: int) -> int | None:
    """The offset of the nearest line above that is neither empty nor a comment."""
    while line_start > 0:
        end = line_start - 1
        if text[end] == "\n" and text[end - 1 : end] == "\r":
            end -= 1
        line_start = start_of_line(text, end)
        content = text[line_start:end].strip()
        if content and not content.startswith("#"):
            return line_start
    return None
