"""Every wrong blueprint beside this file prints exactly the message beside it.

`UPDATE_GOLDEN=1` writes the messages anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graphbuilder.api import check
from graphbuilder.blueprint import load_source
from graphbuilder.errors import CODES, BlueprintError, Diagnostic
from graphbuilder.text import parse

CASES = Path(__file__).parent / "cases"
WRONG = sorted(path for path in CASES.iterdir() if path.suffix in (".yaml", ".json"))


def diagnostics_of(path: Path) -> tuple[Diagnostic, ...]:
    """What checking a case finds, with the case's bare file name in it."""
    try:
        source = parse(path.read_bytes(), name=path.name)
        document = load_source(source, path)
    except BlueprintError as error:
        return error.diagnostics
    return check(document).diagnostics


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.name)
def test_message_is_exact(path: Path) -> None:
    golden = path.with_suffix(path.suffix + ".txt")
    found = "\n".join(str(diagnostic) for diagnostic in diagnostics_of(path)) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.name)
def test_one_fault_gives_one_message(path: Path) -> None:
    """A case's name says how many faults it has when there is more than one: `two_…`, `three_…`."""
    count = {"two": 2, "three": 3, "four": 4}.get(path.stem.partition("_")[0], 1)
    assert len(diagnostics_of(path)) == count


def test_every_position_is_inside_its_file() -> None:
    for path in WRONG:
        lines = path.read_bytes().decode("utf-8", "replace").splitlines() or [""]
        for diagnostic in diagnostics_of(path):
            assert diagnostic.code in CODES
            if diagnostic.position is not None and diagnostic.file == path.name:
                assert 1 <= diagnostic.position.line <= len(lines) + 1


def test_there_are_fifty_cases() -> None:
    assert len(WRONG) >= 50
