"""`graphbuilder schema`: the JSON Schema of blueprints, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.options import ForceOption

__all__ = ["command", "schema_text"]

NAME = "schema"
EPILOG = "Examples: graphbuilder schema -o blueprint.schema.json; graphbuilder schema > blueprint.schema.json"


def command(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Where to. Left out or -, stdout.", show_default=False),
    ] = None,
    force: ForceOption = False,
) -> int:
    """Print the JSON Schema of blueprints, with every layer's arguments.

    An editor that speaks yaml-language-server completes and explains a blueprint that begins with the line
    `# yaml-language-server: $schema=blueprint.schema.json`, the path being relative to the blueprint.
    """
    from graphbuilder.cli.output import print_data
    from graphbuilder.cli.writing import write_whole

    text = schema_text()
    if output is None or str(output) == "-":
        print_data(text)
        return 0
    write_whole(output, text.encode("utf-8"), force=force)
    print(f"{output} written; a blueprint beside it that begins with this line is completed by editors:")
    print(f"# yaml-language-server: $schema={output.name}")
    return 0


def schema_text() -> str:
    """The JSON Schema as text, the same every time."""
    from graphbuilder.api import json_schema
    from graphbuilder.text import to_json

    return to_json(json_schema())
