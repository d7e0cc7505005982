"""The blueprints and standard blocks that travel with graphbuilder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["NAMESPACES", "block_path", "blocks_in", "blueprint_abouts", "blueprint_names", "blueprint_path"]

# Block namespaces that need no import, each a folder of files that hold one block of the file's name.
NAMESPACES = ("std",)


@cache
def _folder() -> Path:
    """Where the shipped files are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "blueprints"
    return installed if installed.is_dir() else package.parent / "blueprints"


def blueprint_names() -> list[str]:
    """The names of the shipped blueprints, in alphabetical order."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def blueprint_path(name: str) -> Path | None:
    """The file of a shipped blueprint, or None."""
    path = _folder() / f"{name}.yaml"
    return path if name in blueprint_names() else None


@cache
def blocks_in(namespace: str) -> tuple[str, ...]:
    """The names of the blocks in a shipped namespace, in alphabetical order."""
    return tuple(sorted(path.stem for path in (_folder() / namespace).glob("*.yaml")))


def block_path(namespace: str, block: str) -> Path | None:
    """The file that holds a shipped block, or None."""
    return _folder() / namespace / f"{block}.yaml" if block in blocks_in(namespace) else None


def blueprint_abouts() -> dict[str, str]:
    """What each shipped blueprint says it is, by its name, in alphabetical order."""
    return {name: _about(_folder() / f"{name}.yaml") for name in blueprint_names()}


def _about(path: Path) -> str:
    from graphbuilder.text import read

    data = read(path).data
    return " ".join(str(data.get("about") or data.get("description") or "").split())
