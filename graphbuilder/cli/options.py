"""The options that several commands share, and what they mean."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from graphbuilder.cli.completion import blueprint_files
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic

__all__ = [
    "FileArgument",
    "ForceOption",
    "FormatOption",
    "LimitOption",
    "OutputFormat",
    "ReportFormat",
    "SetOption",
    "TrustOption",
    "parse_set",
]


class OutputFormat(StrEnum):
    """How results and diagnostics are printed."""

    TEXT = "text"
    JSON = "json"


class ReportFormat(StrEnum):
    """How diagnostics are printed where they are the result."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def set_limits(settings: list[str] | None) -> list[str] | None:
    """Sets limits for this process, and for those that it starts.

    Raises:
        CommandError: a setting cannot be understood.
    """
    if settings:
        from graphbuilder.limits import VARIABLE, parse_limits

        found = parse_limits(
            [*os.environ.get(VARIABLE, "").split(","), *settings] if VARIABLE in os.environ else settings
        )
        os.environ[VARIABLE] = ",".join(f"{name}={value}" for name, value in found.items())
    return settings


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
LimitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=NUMBER",
        callback=set_limits,
        help="Raise a limit on what a file may ask for, such as nodes=500k; may be given several times.",
    ),
]
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
