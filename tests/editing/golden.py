"""Commands carried out on one model in the styles in which people write, and what comes of them exactly.

`UPDATE_GOLDEN=1` writes `edits/*.txt` anew; read the difference before committing it.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.session import Session
from graphbuilder.errors import GraphbuilderError
from graphbuilder.text import parse

__all__ = ["STYLES", "check_golden", "run_both_ways", "session_of"]

_HERE = Path(__file__).parent
# One model, three times.
STYLES = tuple(sorted((_HERE / "styles").iterdir()))


def session_of(path: Path) -> Session:
    """A session on a file, which keeps its line breaks."""
    return Session(path.read_bytes().decode("utf-8"), path.name, path)


def run_both_ways(session: Session, command: Command) -> Edit:
    """Carries a command out, takes it back and does it again; every byte must be there each time.

    The same is done with other line breaks, a byte order mark, and no line break at the end.
    """
    before = session.text
    edit = session.run(command)
    after = session.text
    session.undo()
    assert session.text == before
    session.redo()
    assert session.text == after
    for other, same in (
        (before.replace("\n", "\r\n"), after.replace("\n", "\r\n")),
        ("\ufeff" + before, "\ufeff" + after),
    ):
        again = Session(other, session.name, session.path)
        again.run(command)
        assert again.text == same
    cut = Session(before.removesuffix("\n"), session.name, session.path)
    cut.run(command)
    assert parse(cut.text, name=session.name).data == parse(after, name=session.name).data
    return edit


def check_golden(name: str, command: Command) -> None:
    """Compares what comes of a command in each style with the file of that name."""
    found = []
    data = []
    for path in STYLES:
        session = session_of(path)
        before = session.text
        try:
            edit = run_both_ways(session, command)
        except GraphbuilderError as error:
            found.append(f"=== {path.name}\n{error}\n")
            continue
        data.append(parse(session.text, name=path.name).data)
        lines = difflib.unified_diff(before.splitlines(), session.text.splitlines(), n=1, lineterm="")
        changed = "\n".join("@@" if line.startswith("@@") else line.rstrip("\n") for line in list(lines)[2:])
        told = "".join(f"- {each}\n" for each in edit.told)
        found.append(f"=== {path.name}\n{edit.title} ({edit.focus})\n{told}{changed}\n")
    # The styles say the same before the command, so they must after it.
    assert all(each == data[0] for each in data)
    assert len(data) in (0, len(STYLES))
    golden = _HERE / "edits" / f"{name}.txt"
    text = "\n".join(found)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
