"""Reads the project's pages: their fenced blocks with the markers above them, headings, tables and links."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGES", "ROOT", "Block", "Page"]

ROOT = Path(__file__).resolve().parents[2]

_MARKER = re.compile(r"<!--\s*(?P<kind>[a-z]+)(?:\s*:\s*(?P<name>\S+))?\s*-->")
_FENCE = re.compile(r"```(?P<language>[a-z]*)\s*")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"(?P<level>#+) +(?P<title>.+)")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Arguments:
        place: file and line, for the test's name.
        language: what stands behind the fence.
        text: its lines.
        marker: `wrong`, `fragment`, `file` or `slow`, from an HTML comment right above it.
        name: the file name that the marker gives it.
    """

    place: str
    language: str
    text: str
    marker: str | None
    name: str | None


class Page:
    """One Markdown file.

    Arguments:
        path: where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path.relative_to(ROOT))
        self.blocks: list[Block] = []
        self.prose: list[str] = []
        self._read(path.read_text(encoding="utf-8").splitlines())

    def __str__(self) -> str:
        return self.name

    def _read(self, lines: list[str]) -> None:
        marker: re.Match[str] | None = None
        opened: tuple[int, str] | None = None
        held: list[str] = []
        for number, line in enumerate(lines, 1):
            if opened is not None:
                if line.rstrip() == "```":
                    kind, name = (marker["kind"], marker["name"]) if marker else (None, None)
                    place = f"{self.name}:{opened[0]}"
                    self.blocks.append(Block(place, opened[1], "\n".join(held) + "\n", kind, name))
                    opened, held, marker = None, [], None
                else:
                    held.append(line)
                continue
            fence = _FENCE.fullmatch(line)
            if fence:
                opened = (number, fence["language"])
            elif line.strip():
                marker = _MARKER.fullmatch(line.strip())
                self.prose.append(line)
        if opened is not None:
            raise ValueError(f"{self.name}:{opened[0]}: the block is never closed")

    def anchors(self) -> set[str]:
        """The anchors of the headings, as GitHub makes them."""
        titles = (match["title"] for line in self.prose if (match := _HEADING.fullmatch(line)))
        return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}

    def links(self) -> list[str]:
        """The targets of the links."""
        return [match["target"] for line in self.prose for match in _LINK.finditer(line)]

    def section(self, title: str) -> list[str]:
        """The lines of prose below a heading, up to the next heading of the same or a higher level."""
        found: list[str] = []
        level = 0
        for line in self.prose:
            heading = _HEADING.fullmatch(line)
            if heading and level and len(heading["level"]) <= level:
                break
            if heading and not level and heading["title"] == title:
                level = len(heading["level"])
            elif level:
                found.append(line)
        assert level, f"{self.name} has no heading {title}"
        return found

    def rows(self, title: str) -> set[str]:
        """The keys that a section's own tables list: what stands in backticks in their first column."""
        own = itertools.takewhile(lambda line: not line.startswith("#"), self.section(title))
        rows = (re.match(r"\| `([^`]+)`", line) for line in own)
        return {row[1] for row in rows if row}


PAGES = [Page(path) for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))]
