"""What people wrote beside the parts of a blueprint, as comments and docstrings of code."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from graphbuilder.export.expressions import WIDTH
from graphbuilder.text import Source
from graphbuilder.text.tree import Scalar, walk

__all__ = ["Comments", "comment", "docstring", "printable"]

# What formatters and checkers take for an order.
_DIRECTIVE = re.compile(r"(?:fmt|yapf|isort|ruff|noqa|type|pylint|mypy|flake8|pragma|nosec|region|endregion)\b|!|%")


class Comments:
    r"""The comments of a text, by the lines on which they stand.

    Arguments:
        source: the text; JSON has no comments.

    Example:
        >>> from graphbuilder.text import parse
        >>> comments = Comments(parse("# two\n# lines\na: 1  # behind\nb: 2\n"))
        >>> comments.beside(("a",)), comments.beside(("b",)), comments.above(("a",))
        (['two lines', 'behind'], [], ['two lines'])
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._alone: dict[int, str] = {}
        self._behind: dict[int, str] = {}
        if source.syntax == "yaml":
            self._find(source)

    def above(self, path: Sequence[str | int]) -> list[str]:
        """The comment in the lines right above a key, as one paragraph."""
        line = self._source.position(tuple(path), key=True).line
        lines: list[str] = []
        while (line := line - 1) in self._alone:
            lines.append(self._alone[line])
        said = " ".join(reversed(lines)).strip()
        return [said] if said else []

    def beside(self, path: Sequence[str | int]) -> list[str]:
        """The comments above a key, behind it, and inside its value, in order."""
        first = self._source.position(tuple(path), key=True).line
        last = max(first, self._source.position(tuple(path)).end_line)
        inside = [
            text
            for line in range(first, last + 1)
            if (text := self._behind.get(line) or self._alone.get(line, "")).strip()
        ]
        return [*self.above(path), *inside]

    def _find(self, source: Source) -> None:
        text = source.text
        starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
        spans = [(node.start, node.end) for node in walk(source.root) if isinstance(node, Scalar)]
        spans.append((len(text), len(text)))
        at = 0
        for start, end in spans:
            while at < start:
                mark = text.find("#", at, start)
                if mark < 0:
                    break
                if mark and text[mark - 1] not in " \t\n\r\ufeff":
                    at = mark + 1
                    continue
                stops = [stop for stop in (text.find("\n", mark), text.find("\r", mark)) if stop >= 0]
                at = min(stops, default=len(text))
                line = bisect_right(starts, mark)
                alone = not text[starts[line - 1] : mark].strip(" \t\ufeff")
                (self._alone if alone else self._behind)[line] = text[mark:at].lstrip("#").strip()
            at = max(at, end)


def printable(text: str) -> str:
    """A text of somebody's on one line, in which nothing ends a line or hides what stands there."""
    shown = " ".join(text.split())
    return "".join(character if character.isprintable() else "\ufffd" for character in shown)


def comment(said: str | None, indent: str) -> Iterator[str]:
    """The lines of a comment."""
    text = printable(said or "")
    if _DIRECTIVE.match(text):
        text = f"The blueprint says: {text}"
    if text:
        yield from _wrap(f"{indent}# {text}", f"{indent}# ")


def docstring(paragraphs: Sequence[str], indent: str = "", arguments: Sequence[tuple[str, str]] = ()) -> list[str]:
    """The lines of a docstring.

    Arguments:
        paragraphs: what it says; each ends in a full stop.
        indent: what stands before its lines.
        arguments: the arguments by name, with what is said of each.
    """
    lines: list[str] = []
    for number, paragraph in enumerate(paragraphs):
        text = _quoted(paragraph)
        text = text if text.endswith((".", "!", "?")) else f"{text}."
        lines += [""] if lines else []
        lines += _wrap(f'{indent}"""{text}' if number == 0 else f"{indent}{text}", indent)
    if arguments:
        lines += ["", f"{indent}Args:"]
        for name, said in arguments:
            lines += _wrap(f"{indent}    {name}: {_quoted(said)}", f"{indent}        ")
    alone = len(lines) > 1 or len(lines[0]) + 3 > WIDTH
    return [*lines, f'{indent}"""'] if alone else [f'{lines[0]}"""']


def _quoted(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _wrap(text: str, mark: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=mark, break_long_words=False, break_on_hyphens=False)
