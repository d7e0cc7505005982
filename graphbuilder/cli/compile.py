"""`graphbuilder compile`: a blueprint becomes a Keras model file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphbuilder.cli.options import FileArgument, ForceOption, LimitOption, SetOption, TrustOption, parse_set
from graphbuilder.cli.output import print_diagnostics, progress

if TYPE_CHECKING:
    from graphbuilder.backend.pretraining import FirstWeights

__all__ = ["command"]

NAME = "compile"
EPILOG = (
    "Examples: graphbuilder compile cnn.yaml -o cnn.keras; "
    "graphbuilder compile cnn.yaml -o served/ --set classes=100; graphbuilder compile cnn.yaml -o twin.h5 --keras 2"
)


def command(
    file: FileArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Where to: .keras, .h5, .weights.h5, .json (the architecture alone), or a SavedModel folder.",
            show_default=False,
        ),
    ],
    settings: SetOption = None,
    limits: LimitOption = None,
    keras: Annotated[int, typer.Option(min=2, max=3, help="3 for Keras 3, 2 for the tf_keras twin.")] = 3,
    force: ForceOption = False,
    trust: TrustOption = None,
    weights: Annotated[
        Path | None, typer.Option(help="A .weights.h5 file to load before saving.", show_default=False)
    ] = None,
) -> int:
    """Compile a blueprint to a Keras model. The file appears whole or not at all."""
    from graphbuilder.analysis.model_budget import require_budget
    from graphbuilder.api import check, lower

    params = parse_set(settings)
    checked = check(file, params)
    # A file without a graph, because of errors or because it holds only blocks, is told by lowering it.
    graph = checked.graph or lower(file, params)
    require_budget(graph)
    print_diagnostics(checked.warnings)
    # The output is looked at before TensorFlow is imported, so that a mistake costs no seconds.
    from graphbuilder.backend.saving import format_of, refuse_existing

    format_of(output)
    refuse_existing(output, force)
    if weights is not None:
        from graphbuilder.backend.importing import check_weights

        check_weights(weights)
    from graphbuilder.backend.pretraining import begin_with, first_weights

    first: FirstWeights = {}
    if weights is None and graph.pretraining and format_of(output) != "json":
        with progress("Loading pretrained weights") as step:
            first = first_weights(graph, progress=lambda done: step(done.message, done.done or 0, done.total or 0))
    with progress("Importing TensorFlow"):
        from graphbuilder.backend.build import build
        from graphbuilder.backend.frameworks import framework
        from graphbuilder.backend.saving import load_weights, save_model

        framework(2 if keras == 2 else 3)
    with progress(f"Building {graph.name}") as step:
        model = build(graph, keras=2 if keras == 2 else 3, trust=trust or (), progress=step)
        if first:
            begin_with(model, graph, first)
    if weights is not None:
        load_weights(model, weights)
    with progress(f"Saving {output}"):
        save_model(model, output, force=force)
    print(f"{output}: {model.count_params():,} parameters, Keras {3 if keras == 3 else '2 (tf_keras)'}")
    return 0
