"""Every wrong or hostile model file is refused with exactly the message beside this file.

`UPDATE_GOLDEN=1` writes the messages anew; read the difference before committing it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphbuilder.errors import CODES, BlueprintError
from graphbuilder.importers import import_file
from tests.support.hostile_files import HOSTILE

MESSAGES = Path(__file__).parent / "hostile"
# Reads every file of a folder with the least that a process can do; tells what it took, and what it imported.
READER = """
import sys
from pathlib import Path

from graphbuilder.errors import BlueprintError
from graphbuilder.importers import import_file

FORBIDDEN = (
    "exec", "marshal.loads", "os.exec", "os.fork", "os.mkdir", "os.symlink", "os.system", "pickle.find_class"
)

def watch(event, arguments):
    if not watched:
        return
    inside = event != "open" or isinstance(arguments[0], int) or str(arguments[0]).startswith(sys.argv[1])
    if event in FORBIDDEN or not inside or (event == "open" and arguments[2] & 3):
        raise SystemExit(f"{event} {arguments}")

# The first round imports what is only imported when it is needed.
watched = False
sys.addaudithook(watch)
for watched in (False, True):
    for path in sorted(Path(sys.argv[1]).iterdir()):
        if path.name == "other.h5":
            continue
        try:
            import_file(path)
        except BlueprintError:
            pass
        else:
            raise SystemExit(f"{path} was not refused")
watched = False
# What the system counts for a process includes what its parent had when it began; this does not.
status = Path("/proc/self/status")
most = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")) if status.exists() else "0 0"
print(int(most.split()[1]) // 1024, *{"h5py", "keras", "numpy", "tensorflow"} & {*sys.modules})
"""
MEGABYTES = 200


def message_of(path: Path) -> str:
    with pytest.raises(BlueprintError) as caught:
        import_file(path)
    assert all(found.code in CODES for found in caught.value.diagnostics)
    return "\n".join(map(str, caught.value.diagnostics)).replace(f"{path.parent}/", "") + "\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_message_is_exact(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.model"
    HOSTILE[name](path)
    before = sorted(tmp_path.rglob("*"))
    found = message_of(path)
    golden = MESSAGES / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
    assert sorted(tmp_path.rglob("*")) == before


def test_every_message_has_a_case() -> None:
    assert {path.stem for path in MESSAGES.iterdir()} == set(HOSTILE)


def test_refusing_takes_little_and_runs_nothing(tmp_path: Path) -> None:
    for name, write in HOSTILE.items():
        write(tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    run = subprocess.run([sys.executable, "-c", READER, str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    megabytes, *imported = run.stdout.split()
    assert int(megabytes) < MEGABYTES
    assert not imported
    assert sorted(tmp_path.rglob("*")) == before
