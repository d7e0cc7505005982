"""`graphbuilder import`: a Keras model as a blueprint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphbuilder.cli.options import ForceOption
from graphbuilder.cli.output import print_data, print_diagnostics

__all__ = ["command"]

NAME = "import"
EPILOG = (
    "Examples: graphbuilder import model.keras -o model.yaml; graphbuilder import model.json --strict; "
    "graphbuilder import model.keras -o model.yaml --weights model.weights.h5"
)


def command(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A .keras or .h5 file, the JSON of model.to_json(), or the folder of a SavedModel.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to: .yaml or .json. Left out or -, stdout.",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write the model's weights: FILE.weights.h5, for `compile --weights`.",
            show_default=False,
        ),
    ] = None,
    flat: Annotated[
        bool, typer.Option("--flat", help="A node for each layer; repeated structure does not become blocks.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail where something in the model is not carried.")] = False,
    force: ForceOption = False,
) -> int:
    """Write a Keras model as a blueprint.

    The file is read without TensorFlow, and nothing in it is run. What a blueprint has no words for is told with its
    place.
    """
    from graphbuilder.cli.writing import refuse_existing, write_whole
    from graphbuilder.importers import import_file

    path = None if output is None or str(output) == "-" else output
    if path is not None:
        refuse_existing(path, force)
    if weights is not None:
        _refuse_name(weights)
        refuse_existing(weights, force)
    found = import_file(model, flat=flat)
    if strict:
        found.refuse_losses()
    print_diagnostics(found.lost)
    told = None
    if weights is not None:
        from graphbuilder.backend.importing import import_weights

        told = f"{weights}: {import_weights(model, found, weights):,} numbers"
    if path is None:
        print_data(found.text)
    else:
        as_json = path.suffix.lower() == ".json"
        write_whole(path, (found.json() if as_json else found.text).encode("utf-8"), force=force)
        print(f"{path} written")
    if told is not None:
        print(told)
    return 0


def _refuse_name(weights: Path) -> None:
    """Refuses a name by which `compile --weights` would not know what is in it.

    Raises:
        CommandError: it does not end in .weights.h5.
    """
    from graphbuilder.errors import CommandError, Diagnostic

    if not weights.name.endswith(".weights.h5"):
        message = f"{weights.name} does not say what is in it"
        raise CommandError(Diagnostic("GB603", message, expected="a name that ends in .weights.h5"))
