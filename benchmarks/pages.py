"""Tables of what was measured, written into pages of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["write_measured"]

_BEGIN, _END = "<!-- measured -->", "<!-- end -->"


def write_measured(page: Path, lines: Sequence[str]) -> None:
    """Puts lines in the place of those between a page's marks, and says so.

    Arguments:
        page: a page that has the marks `<!-- measured -->` and `<!-- end -->`.
        lines: what was measured, as Markdown.
    """
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    text = "\n".join([f"{before}{_BEGIN}", *lines, f"{_END}{rest.partition(_END)[2]}"])
    page.write_text(text, encoding="utf-8")
    print(f"{page.name} is written")
