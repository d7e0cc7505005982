"""The options that several commands share, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from graphbuilder.cli.completion import blueprint_files
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

__all__ = ["FileArgument", "ForceOption", "FormatOption", "OutputFormat", "SetOption", "TrustOption", "parse_set"]


class OutputFormat(StrEnum):
    """How results and diagnostics are printed."""

    TEXT = "text"
    JSON = "json"


FileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A blueprint, YAML or JSON.", show_default=False, autocompletion=blueprint_files
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a param of the blueprint; may be given several times."),
]
FormatOption = Annotated[OutputFormat, typer.Option("--format", help="Print text for people or JSON for machines.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the output if it exists.")]
TrustOption = Annotated[
    list[str] | None,
    typer.Option("--trust", metavar="MODULE", help="Let custom layers of this module be imported and run."),
]


def parse_set(settings: Sequence[str] | None) -> dict[str, Any]:
    """The params of `--set name=value`, each value read as YAML.

    Raises:
        CommandError: a setting has no `=`, or its value cannot be read.

    Example:
        >>> parse_set(["units=64", "activation=relu"])
        {'units': 64, 'activation': 'relu'}
    """
    from graphbuilder.text import parse

    found: dict[str, Any] = {}
    for setting in settings or ():
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise CommandError(Diagnostic("GB603", f"--set {setting} is not of the form NAME=VALUE"))
        try:
            found[name.strip()] = parse(value, name=f"--set {name}").data if value.strip() else None
        except BlueprintError as error:
            raise CommandError(error.diagnostics) from error
    return found
