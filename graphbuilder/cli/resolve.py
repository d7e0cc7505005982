"""`graphbuilder resolve`: a blueprint without params, blocks, imports and fusions, in one flat file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.options import FileArgument, ForceOption, LimitOption, SetOption, parse_set
from graphbuilder.cli.output import print_diagnostics

__all__ = ["command"]

NAME = "resolve"
EPILOG = (
    "Examples: graphbuilder resolve resnet50.yaml; graphbuilder resolve resnet50.yaml --set classes=10 -o ten.yaml; "
    "graphbuilder resolve cnn.yaml -o flat.json"
)


def command(
    file: FileArgument,
    settings: SetOption = None,
    limits: LimitOption = None,
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
    force: ForceOption = False,
) -> int:
    """Write a blueprint flat: one node for each layer and op, no params, blocks, imports, repeats and fusions.

    The result is one file that needs no other, and builds the same model. What lies inside a block or a fusion is named
    after its path: encoder.0.attention becomes encoder_0_attention. It is read again and compared before it is written.
    """
    from graphbuilder.api import check, lower
    from graphbuilder.cli.conversion import converted
    from graphbuilder.cli.output import print_data
    from graphbuilder.cli.writing import refuse_existing, write_whole
    from graphbuilder.compression.renaming import renamed_passes
    from graphbuilder.errors import BlueprintError
    from graphbuilder.lowering.resolved import resolved_blueprint, resolved_text
    from graphbuilder.text import parse

    path = None if output is None or str(output) == "-" else output
    if path is not None:
        _refuse_ending(path)
        refuse_existing(path, force)
    params = parse_set(settings)
    checked = check(file, params)
    if checked.errors:
        raise BlueprintError(checked.errors)
    # A file that holds only blocks has no graph, which is told by lowering it.
    graph = checked.graph or lower(file, params)
    print_diagnostics(checked.warnings)
    passes = renamed_passes(graph, resolved_blueprint(graph).layers)
    budget = None if graph.budget is None else graph.budget.bounds
    text = resolved_text(graph, compression=passes, budget=budget)
    if path is None:
        print_data(text)
        return 0
    if path.suffix.lower() == ".json":
        text = converted(parse(text, name=f"{file}, resolved"), "json")
    write_whole(path, text.encode("utf-8"), force=force)
    count = len(graph.calls)
    print(f"{path} written, {count:,} node{'' if count == 1 else 's'}")
    return 0


def _refuse_ending(path: Path) -> None:
    """Refuses a name that no command would read as a blueprint.

    Raises:
        CommandError: it ends otherwise.
    """
    from graphbuilder.errors import CommandError, Diagnostic

    if path.suffix.lower() not in (".yaml", ".yml", ".json"):
        hint = "end its name with .yaml or .json"
        raise CommandError(Diagnostic("GB603", f"{path} does not say in which syntax to write", hint=hint))
