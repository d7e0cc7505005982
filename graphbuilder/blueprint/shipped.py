"""The blueprints and standard blocks that travel with graphbuilder."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from graphbuilder.catalog.zoo import ZOO

__all__ = [
    "NAMESPACES",
    "RESERVED",
    "block_about",
    "block_path",
    "blocks_in",
    "blueprint_abouts",
    "blueprint_names",
    "blueprint_path",
    "zoo_names",
]

# Block namespaces that need no import. Each is a folder of files that hold one block of the file's name, or are one
# as a whole.
NAMESPACES = ("std", "zoo")

# Those whose name no import can have. An import of another one's name hides it, as files that are older than it need.
RESERVED = ("std",)


@cache
def _folder() -> Path:
    """Where the shipped files are: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "blueprints"
    return installed if installed.is_dir() else package.parent / "blueprints"


def blueprint_names() -> list[str]:
    """The names of the shipped blueprints but for the zoo's, in alphabetical order."""
    return sorted(path.stem for path in _folder().glob("*.yaml"))


def zoo_names() -> list[str]:
    """The names of the zoo's models, such as `zoo.vgg16`, family by family."""
    return [f"zoo.{name}" for name in ZOO]


def blueprint_path(name: str) -> Path | None:
    """The file of a shipped blueprint or of a model of the zoo, or None."""
    path = _folder() / f"{name.replace('.', '/')}.yaml"
    return path if name in blueprint_names() or name in zoo_names() else None


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
    return _joined(data.get("about") or data.get("description"))


def _joined(about: object) -> str:
    return " ".join(str(about or "").split())


@cache
def block_about(name: str) -> str:
    """What a shipped block such as `std.mlp` says it is, in one line; empty where there is none.

    Only the text is read, because a list of all blocks says it of each.
    """
    from graphbuilder.text import read

    space, _, inner = name.partition(".")
    path = block_path(space, inner) if space in NAMESPACES else None
    if path is None:
        return ""
    data = read(path).data
    return _joined(data.get("blocks", {}).get(inner, data).get("about"))
