"""The project's files say nothing of the machine on which they were written."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

HOME = re.compile(r"(?<![\w.])(?:/home/|/Users/|/root/|[A-Za-z]:[\\/]+Users[\\/]+)[\w.-]+")
NOT_OURS = {"build", "dist"}


def project_files(root: Path) -> list[Path]:
    """What is or would be committed; where git cannot say (an unpacked sdist), what lies in no hidden folder."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            check=True,
            capture_output=True,
            timeout=60,
        ).stdout
        names = [Path(name) for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = [path.relative_to(root) for path in root.rglob("*")]
        names = [name for name in names if name.parts[0] not in NOT_OURS and not name.parts[0].startswith(".")]
    return [root / name for name in names if (root / name).is_file()]


def private_paths(text: str, root: Path) -> list[str]:
    found = HOME.findall(text)
    # Short ones, such as /app, may be anything.
    if len(root.parts) > 2 and str(root) in text:
        found.append(str(root))
    return found


def test_no_file_names_a_home_folder_or_this_checkout(root: Path) -> None:
    files = project_files(root)
    assert root / "pyproject.toml" in files
    assert Path(__file__) in files
    found = {}
    for path in files:
        data = path.read_bytes()
        if b"\0" not in data and (paths := private_paths(data.decode(errors="replace"), root)):
            found[path.relative_to(root).as_posix()] = paths
    assert found == {}


def test_the_search_finds_what_it_is_for(root: Path) -> None:
    for path in ["/ho" + "me/ada/x", "/Us" + "ers/ada", "/ro" + "ot/x", "C:\\Us" + "ers\\ada", str(root / "x")]:
        assert private_paths(f"see {path}:1", root), path
    for text in ["https://example.org/home/page", "graph/root/x", "~/blueprints", "/path/to/python3.12"]:
        assert private_paths(text, root) == [], text
