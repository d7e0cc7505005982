"""`graphbuilder convert`: the same blueprint in the other syntax."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.options import FileArgument, ForceOption, LimitOption

__all__ = ["command"]

NAME = "convert"
EPILOG = (
    "Examples: graphbuilder convert cnn.yaml -o cnn.json; graphbuilder convert cnn.json -o cnn.yaml --force; "
    "graphbuilder convert cnn.yaml"
)


class To(StrEnum):
    """The syntaxes of blueprints."""

    YAML = "yaml"
    JSON = "json"


def command(
    file: FileArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to, .yaml or .json. Left out or -, stdout.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        To | None,
        typer.Option(
            "--to", help="The syntax. Left out, what the output's name says, or the other one.", show_default=False
        ),
    ] = None,
    force: ForceOption = False,
    limits: LimitOption = None,
) -> int:
    """Convert a blueprint from YAML to JSON or back.

    The data is the same, its keys in the same order; what is written is read again and compared before it takes its
    place. Comments and anchors have no place in the result; how many were left out is told.
    """
    from graphbuilder.cli.conversion import converted, left_behind
    from graphbuilder.cli.output import note, print_data
    from graphbuilder.cli.writing import refuse_existing, write_whole
    from graphbuilder.text import read

    path = None if output is None or str(output) == "-" else output
    if path is not None:
        refuse_existing(path, force)
    source = read(file)
    syntax = _syntax(path, to) or ("yaml" if source.syntax == "json" else "json")
    text = converted(source, syntax)
    for lost in left_behind(source):
        note(lost)
    if path is None:
        print_data(text)
        return 0
    write_whole(path, text.encode("utf-8"), force=force)
    print(f"{path} written")
    return 0


def _syntax(path: Path | None, to: To | None) -> str | None:
    """The syntax that is asked for, by `--to` and by the output's name."""
    from graphbuilder.errors import CommandError, Diagnostic

    if path is None:
        return None if to is None else str(to)
    named = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}.get(path.suffix.lower())
    if named is None and to is None:
        hint = "end its name with .yaml or .json, or say --to"
        raise CommandError(Diagnostic("GB603", f"{path} does not say in which syntax to write", hint=hint))
    if to is not None and named is not None and named != to:
        raise CommandError(Diagnostic("GB603", f"--to {to} would be written to {path}, which is read as {named}"))
    return named or str(to)
