"""Edits files in processes that are there to be killed.

Each line on stdin, `FOLDER SEED`, is answered with the number of a new process, which opens `FOLDER/cnn.yaml` as the
editor does and then types, undoes and saves without pause. Before it keeps a step or saves, it writes to `FOLDER/truth`
what and when, so that the test knows what there was to lose.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from graphbuilder.editing.session import Session
from graphbuilder.tui.files import open_file, save_file, text_digest
from graphbuilder.tui.journal import Journal


def edit(folder: Path, seed: int) -> None:
    dice = random.Random(seed)
    path = folder / "cnn.yaml"
    opened = open_file(path)
    stamp = opened.stamp
    session = Session(opened.text, path.name, path)
    journal = Journal(path, opened.text, folder / "state")
    truth = os.open(folder / "truth", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(kind: str) -> None:
        told = {"kind": kind, "time": time.monotonic(), "digest": text_digest(session.text)}
        os.write(truth, (json.dumps(told) + "\n").encode())

    tell("start")
    while True:
        time.sleep(dice.choice((0, 0, 0.001, 0.003)))
        chance = dice.random()
        if chance < 0.03:
            tell("saving")
            stamp = save_file(path, session.text, stamp)
            session.saved()
            journal.saved(session.text)
            continue
        if chance < 0.2 and session.done:
            session.undo()
        else:
            at = dice.randrange(len(session.text))
            session.type(f"{session.text[:at]}# {dice.random()} é\n{session.text[at:][:3000]}")
        tell("step")
        journal.keep(session.text, "type")


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        folder, seed = line.split()
        process = os.fork()
        if process == 0:
            edit(Path(folder), int(seed))
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
