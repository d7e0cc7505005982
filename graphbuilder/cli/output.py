"""What commands print: diagnostics, tables, progress."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from graphbuilder.errors import Diagnostic, Severity

__all__ = [
    "bold",
    "colour",
    "encodes",
    "milestone",
    "note",
    "print_data",
    "print_diagnostics",
    "print_report",
    "progress",
    "terminal_width",
    "wanted_format",
]

_RED, _YELLOW, _BOLD, _DIM, _RESET = "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[2m", "\x1b[0m"

# How wide text may be where no terminal says otherwise, and at the least.
_WIDTH, _NARROWEST = 80, 40

# How long work may take before its progress is shown, in seconds.
PATIENCE = 0.5


def wanted_format(arguments: Sequence[str]) -> str:
    """The format that the command line asks for with `--format`, known even when a command fails before it runs."""
    for before, word in pairwise(["", *arguments]):
        if before == "--format":
            return word
        if word.startswith("--format="):
            return word.partition("=")[2]
    return "text"


def colour(stream: object) -> bool:
    """Whether a stream is a terminal that wants colour (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(getattr(stream, "isatty", lambda: False)())


def bold(text: str) -> str:
    """The text for stdout, bold where that is a terminal that wants colour."""
    return f"{_BOLD}{text}{_RESET}" if colour(sys.stdout) else text


def terminal_width() -> int:
    """How many columns the text on stdout may have: those of the terminal, else 80."""
    if not sys.stdout.isatty():
        return _WIDTH
    return max(_NARROWEST, shutil.get_terminal_size((_WIDTH, 24)).columns)


def encodes(text: str) -> bool:
    """Whether stdout can say these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def print_data(text: str) -> None:
    """Writes a document to stdout as UTF-8, whatever the terminal's encoding: YAML and JSON know no other."""
    if encodes(text):
        sys.stdout.write(text)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8"))


def note(message: str) -> None:
    """Says on stderr what is worth knowing and is no fault."""
    print(f"note: {message}", file=sys.stderr)


def print_diagnostics(diagnostics: Iterable[Diagnostic], *, as_json: bool = False) -> None:
    """Writes diagnostics to stderr as text, or to stdout as one JSON document."""
    found = list(diagnostics)
    if as_json:
        errors = sum(item.severity is Severity.ERROR for item in found)
        print(json.dumps({"ok": errors == 0, "diagnostics": [item.to_json() for item in found]}, indent=2))
        return
    coloured = colour(sys.stderr)
    for item in found:
        print(_coloured(item) if coloured else str(item), file=sys.stderr)


def print_report(diagnostics: Sequence[Diagnostic], wanted: str) -> None:
    """Writes diagnostics in a format: text to stderr, what machines read to stdout.

    Arguments:
        diagnostics: what was found.
        wanted: "json", "github" or "sarif"; anything else is text.
    """
    if wanted == "github":
        from graphbuilder.cli.ci_formats import github_lines

        print_data("".join(f"{line}\n" for line in github_lines(diagnostics)))
    elif wanted == "sarif":
        from importlib.metadata import version

        from graphbuilder.cli.ci_formats import sarif

        print_data(json.dumps(sarif(diagnostics, version("graphbuilder")), indent=2, ensure_ascii=False) + "\n")
    else:
        print_diagnostics(diagnostics, as_json=wanted == "json")


def _coloured(diagnostic: Diagnostic) -> str:
    first, *rest = str(diagnostic).split("\n")
    tone = _YELLOW if diagnostic.severity is Severity.WARNING else _RED
    place, code = diagnostic.place, diagnostic.code
    head = first.replace(f"{place}: ", f"{_BOLD}{place}:{_RESET} ", 1).replace(code, f"{tone}{code}{_RESET}", 1)
    return "\n".join([head, *(f"{_DIM}{line}{_RESET}" for line in rest)])


def milestone(message: str) -> None:
    """Says on stderr, within long work, what of it is done."""
    clear = "\r\x1b[2K" if sys.stderr.isatty() else ""
    print(f"{clear}{message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Shows on stderr how far long work is: on a terminal one line that is rewritten, elsewhere the title alone.

    Arguments:
        title: what is being done, such as "Building cnn".

    Yields:
        A function to tell of each step: what it is, its number, and how many there are.
    """
    terminal = sys.stderr.isatty()
    started = time.monotonic()
    shown = 0.0

    def step(what: str, number: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if terminal and now - started > PATIENCE and now - shown > 0.1:
            shown = now
            line = f"{title}: {number}/{total} {what}" if total else f"{title}: {what}"
            print(f"\r\x1b[2K{line[:100]}", end="", file=sys.stderr, flush=True)

    print(f"{title}…", end="\r" if terminal else "\n", file=sys.stderr, flush=True)
    try:
        yield step
    finally:
        if terminal:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
