"""Writes the files that are made from the code, or with `--check` tells which of them are out of date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from graphbuilder.cli.schema import schema_text
from scripts.error_codes import error_page
from scripts.legality_page import legality_page

__all__ = ["GENERATED", "main", "stale"]

ROOT = Path(__file__).resolve().parent.parent

# The path of each generated file within the project, and what makes its text.
GENERATED: dict[str, Callable[[], str]] = {
    "docs/blueprint.schema.json": schema_text,
    "docs/compression-legality.md": legality_page,
    "docs/errors.md": error_page,
}


def stale(generated: Mapping[str, Callable[[], str]], root: Path) -> dict[str, str]:
    """The files whose text is missing or differs from what the code gives, with the text they should have."""
    found = {}
    for name, make in generated.items():
        path, text = root / name, make()
        if not path.is_file() or path.read_bytes() != text.encode():
            found[name] = text
    return found


def main(argv: list[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    check = parser.parse_args(argv).check
    found = stale(GENERATED, ROOT)
    for name, text in found.items():
        if check:
            print(f"{name} is out of date: run make generate", file=sys.stderr)
        else:
            path = ROOT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            print(f"{name} written")
    return 1 if check and found else 0


if __name__ == "__main__":
    raise SystemExit(main())
