"""`graphbuilder new`: a blueprint to start from."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.completion import shipped_names
from graphbuilder.cli.options import ForceOption

__all__ = ["command"]

NAME = "new"
EPILOG = "Examples: graphbuilder new; graphbuilder new cnn; graphbuilder new transformer models/reviews.yaml"


def command(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="A shipped blueprint. Left out, they are listed.", autocompletion=shipped_names
        ),
    ] = None,
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="The file or folder to write to. Left out, ./NAME.yaml.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="The same, as an option.", show_default=False)
    ] = None,
    force: ForceOption = False,
) -> int:
    """Copy a shipped blueprint to start from, or list them.

    The copy is the shipped file, byte for byte, and needs nothing beside it.
    """
    from graphbuilder.blueprint.shipped import blueprint_names, blueprint_path, zoo_names
    from graphbuilder.errors import CommandError, Diagnostic, nearest

    if name is None:
        _list()
        return 0
    shipped = blueprint_path(name.removesuffix(".yaml"))
    if shipped is None:
        # Models of the zoo are found by their own names too.
        known = {each.removeprefix("zoo."): each for each in [*zoo_names(), *blueprint_names()]}
        close = nearest(name.removeprefix("zoo."), known)
        hint = f"did you mean {known[close]}?" if close else "`graphbuilder new` lists them"
        raise CommandError(Diagnostic("GB603", f"{name} is not a shipped blueprint", hint=hint))
    if path is not None and output is not None:
        raise CommandError(Diagnostic("GB603", f"both {path} and -o {output} say where to write", hint="leave one out"))
    target = _target(shipped, path or output)

    from graphbuilder.cli.writing import write_whole

    write_whole(target, shipped.read_bytes(), force=force)
    print(f"{target} written; next:")
    print(f"  graphbuilder show {_quoted(target)}")
    print(f"  graphbuilder compile {_quoted(target)} -o {_quoted(target.with_suffix('.keras'))}")
    return 0


def _target(shipped: Path, path: Path | None) -> Path:
    """The file to write."""
    from graphbuilder.errors import CommandError, Diagnostic

    target = path or Path(shipped.name)
    if target.is_dir():
        target /= shipped.name
    if target.suffix.lower() == ".json":
        hint = f"write it as YAML, then `graphbuilder convert {shipped.name} -o {target.name}`"
        raise CommandError(Diagnostic("GB603", f"shipped blueprints are YAML, and {target} would be JSON", hint=hint))
    return target


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def _list() -> None:
    """Prints what is shipped, with the first line of each description."""
    from graphbuilder.blueprint.shipped import blueprint_abouts, zoo_names
    from graphbuilder.cli.output import bold, terminal_width

    abouts = blueprint_abouts()
    wide = max(len(name) for name in abouts)
    for name, about in abouts.items():
        lines = textwrap.wrap(about, terminal_width() - wide - 2) or [""]
        print(f"{bold(name.ljust(wide))}  {lines[0]}")
        for line in lines[1:]:
            print(f"{'':{wide}}  {line}")
    print()
    for line in textwrap.wrap(f"The zoo, models of keras.applications: {', '.join(zoo_names())}.", terminal_width()):
        print(line)
    print("\n`graphbuilder new NAME` writes one to the current folder.")
