"""`graphbuilder merge`: branches of a blueprint merged, in its own text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphbuilder.cli.completion import block_names, fusion_names, node_names
from graphbuilder.cli.options import (
    FileArgument,
    ForceOption,
    FormatOption,
    LimitOption,
    OutputFormat,
    SetOption,
    parse_set,
)

if TYPE_CHECKING:
    from graphbuilder.editing import Edited

__all__ = ["command"]

NAME = "merge"
EPILOG = (
    "Examples: graphbuilder merge vqa.yaml image text --list; "
    "graphbuilder merge vqa.yaml image text --with concat -o merged.yaml; "
    "graphbuilder merge vqa.yaml image text --with concat --option axis=1; "
    "graphbuilder merge vqa.yaml image text --with add --into answer --in-place; "
    "graphbuilder merge deep.yaml main shortcut --block stage --with add"
)


def command(
    file: FileArgument,
    nodes: Annotated[
        list[str],
        typer.Argument(
            metavar="NODES",
            help="What to merge, as `from` writes it: nodes, inputs, lstm.0, encoder.hidden.",
            show_default=False,
            autocompletion=node_names,
        ),
    ],
    strategy: Annotated[
        str | None,
        typer.Option(
            "--with", metavar="FUSION", help="The way to merge.", show_default=False, autocompletion=fusion_names
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="The new node. Left out, merged, merged_2, …", show_default=False),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="Set an option of the fusion; may be given several times."),
    ] = None,
    into: Annotated[
        list[str] | None,
        typer.Option(
            "--into",
            metavar="NODE",
            help="Wire it into this node, or `outputs`, only; may be given several times.",
            autocompletion=node_names,
        ),
    ] = None,
    block: Annotated[
        str | None,
        typer.Option(
            "--block",
            metavar="BLOCK",
            help="Merge inside this block of the file; the nodes and --into are its own.",
            show_default=False,
            autocompletion=block_names,
        ),
    ] = None,
    only_add: Annotated[bool, typer.Option("--only-add", help="Wire it into nothing.")] = False,
    settings: SetOption = None,
    limits: LimitOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Where to. Left out or -, stdout.", show_default=False),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Write to FILE itself.")] = False,
    force: ForceOption = False,
    listing: Annotated[bool, typer.Option("--list", help="List the fusions that fit, and change nothing.")] = False,
    output_format: FormatOption = OutputFormat.TEXT,
) -> int:
    """Merge branches: add a fusion to a blueprint, and wire it in.

    The new node stands below the last of the merged ones. What took one of them takes the merged value instead, in a
    node's from and under outputs, unless it feeds one of them, or takes several apart from each other; what was changed
    is told. Everything else in the file stays as it is, byte for byte.
    """
    from graphbuilder.cli.output import note, print_data
    from graphbuilder.cli.writing import refuse_existing, write_whole

    if listing:
        _refuse_beside_list(
            {"--with": strategy, "--name": name, "--option": options, "--into": into, "-o": output},
            {"--only-add": only_add, "--in-place": in_place, "--force": force},
        )
        from graphbuilder.cli.merge_list import print_list

        print_list(file, nodes, parse_set(settings), block, as_json=output_format is OutputFormat.JSON)
        return 0
    _refuse_contradictions(strategy, into, only_add, output, in_place)
    assert strategy is not None
    path = file if in_place else None if output is None or str(output) == "-" else output
    replaces = force or in_place
    if path is not None:
        refuse_existing(path, replaces)
        _refuse_other_syntax(file, path)
    from graphbuilder.api import merge

    edited = merge(
        file,
        nodes,
        strategy,
        name=name,
        options=_parse_options(options),
        into=[] if only_add else into,
        params=parse_set(settings),
        block=block,
    )
    if path is not None:
        write_whole(path, edited.text.encode("utf-8"), force=replaces)
    if output_format is OutputFormat.JSON:
        _print_json(edited, path)
        return 0
    for change in edited.changes:
        note(change)
    if path is None:
        print_data(edited.text)
    else:
        print(f"{path} written")
    return 0


def _print_json(edited: Edited, path: Path | None) -> None:
    """Prints what was done; with the text, where it was written nowhere."""
    import json

    document: dict[str, Any] = {"ok": True, "name": edited.name, "changes": list(edited.changes)}
    document |= {"text": edited.text} if path is None else {"written": str(path)}
    print(json.dumps(document, indent=2))


def _refuse_beside_list(values: dict[str, object], flags: dict[str, bool]) -> None:
    from graphbuilder.errors import CommandError, Diagnostic

    given = [option for option, value in values.items() if value is not None]
    given += [option for option, value in flags.items() if value]
    if given:
        raise CommandError(Diagnostic("GB603", f"--list changes nothing, so {given[0]} says nothing beside it"))


def _refuse_contradictions(
    strategy: str | None, into: list[str] | None, only_add: bool, output: Path | None, in_place: bool
) -> None:
    """Refuses options that say nothing together.

    Raises:
        CommandError: GB603.
    """
    from graphbuilder.errors import CommandError, Diagnostic

    if strategy is None:
        hint = "--with FUSION, or --list for those that fit"
        raise CommandError(Diagnostic("GB603", "the command does not say how to merge", hint=hint))
    if only_add and into is not None:
        raise CommandError(Diagnostic("GB603", "--only-add and --into contradict each other", hint="leave one out"))
    if in_place and output is not None:
        message = f"both --in-place and -o {output} say where to write"
        raise CommandError(Diagnostic("GB603", message, hint="leave one out"))


def _refuse_other_syntax(file: Path, path: Path) -> None:
    """Refuses to write YAML to what is read as JSON, and the other way round.

    Raises:
        CommandError: GB603.
    """
    from graphbuilder.errors import CommandError, Diagnostic

    one, other = (each.suffix.lower() == ".json" for each in (file, path))
    if one != other:
        syntaxes = ("YAML", "JSON")
        message = f"{file} is {syntaxes[one]}, and {path} would be read as {syntaxes[other]}"
        hint = "`graphbuilder convert` turns one into the other"
        raise CommandError(Diagnostic("GB603", message, hint=hint))


def _parse_options(given: list[str] | None) -> dict[str, Any]:
    """The options of `--option key=value`, each value read as YAML.

    Raises:
        CommandError: one has no `=`, or its value cannot be read.
    """
    from graphbuilder.errors import BlueprintError, CommandError, Diagnostic
    from graphbuilder.text import parse

    found: dict[str, Any] = {}
    for option in given or ():
        key, equals, value = option.partition("=")
        key = key.strip()
        if not equals or not key:
            raise CommandError(Diagnostic("GB603", f"--option {option} is not of the form KEY=VALUE"))
        if key in found:
            raise CommandError(Diagnostic("GB603", f"--option {key} is given twice"))
        try:
            found[key] = parse(value, name=f"--option {key}").data if value.strip() else None
        except BlueprintError as error:
            raise CommandError(error.diagnostics) from error
    return found
