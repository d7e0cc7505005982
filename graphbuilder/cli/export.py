"""`graphbuilder export`: a blueprint as Keras code, as a drawing, or as a model of another runtime."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphbuilder.cli.options import FileArgument, ForceOption, LimitOption, SetOption, TrustOption, parse_set
from graphbuilder.cli.output import note, print_data, print_diagnostics, progress

if TYPE_CHECKING:
    from graphbuilder.backend.exporting import ExportRequest
    from graphbuilder.backend.frameworks import KerasVersion
    from graphbuilder.backend.parity import Parity
    from graphbuilder.blueprint import Document
    from graphbuilder.graph import Graph

__all__ = ["command"]

NAME = "export"
EPILOG = (
    "Examples: graphbuilder export cnn.yaml -o cnn.py; graphbuilder export resnet50.yaml -o resnet50.svg; "
    "graphbuilder export cnn.yaml --to mermaid --depth 1; "
    "graphbuilder export cnn.yaml -o cnn.tflite --weights trained.weights.h5"
)


class Format(StrEnum):
    """What a blueprint is written as."""

    PYTHON = "python"
    SVG = "svg"
    MERMAID = "mermaid"
    DOT = "dot"
    ONNX = "onnx"
    TFLITE = "tflite"


_ENDINGS = {
    ".py": Format.PYTHON,
    ".svg": Format.SVG,
    ".mmd": Format.MERMAID,
    ".dot": Format.DOT,
    ".onnx": Format.ONNX,
    ".tflite": Format.TFLITE,
}
_DRAWINGS = (Format.SVG, Format.MERMAID, Format.DOT)
_MODELS = (Format.ONNX, Format.TFLITE)


def command(
    file: FileArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to: .py, .svg, .mmd, .dot, .onnx or .tflite. Left out or -, stdout.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Format | None,
        typer.Option("--to", help="The format. Left out, what the output's name says.", show_default=False),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(
            "--depth",
            metavar="N",
            min=0,
            show_default=False,
            help="Of a drawing: draw blocks N names deep as one box each; 0 draws every node. Left out, 1 for .svg.",
        ),
    ] = None,
    settings: SetOption = None,
    limits: LimitOption = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="For .onnx and .tflite: a .weights.h5 file to load first.", show_default=False),
    ] = None,
    keras: Annotated[int, typer.Option(min=2, max=3, help="Of code: 3 for Keras 3, 2 for tf_keras.")] = 3,
    trust: TrustOption = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify",
            help="Whether what can run is run beside the compiled model, and refused if it differs.",
        ),
    ] = True,
    force: ForceOption = False,
) -> int:
    """Write a blueprint as Keras code that needs no graphbuilder, as a drawing, or as a model of another runtime.

    The code builds a model with the same layers, names and order of weights; it says nothing of training and
    compression. A drawing has a box for each layer, op or folded block, and the shapes that flow between them. Code and
    models are run beside the compiled model on random inputs before they are written.
    """
    from graphbuilder.api import check, load, lower
    from graphbuilder.cli.writing import refuse_existing, write_whole

    path = None if output is None or str(output) == "-" else output
    chosen = _format(path, to)
    _refuse_misplaced(chosen, path, depth, weights, keras)
    if path is not None:
        refuse_existing(path, force)
    params = parse_set(settings)
    document = load(file)
    checked = check(document, params)
    # A file without a graph, because of errors or because it holds only blocks, is told by lowering it.
    graph = checked.graph or lower(document, params)
    print_diagnostics(checked.warnings)
    if chosen in _DRAWINGS:
        content, end = _drawing(graph, document, chosen, depth).encode("utf-8"), ""
    else:
        from graphbuilder.analysis.model_budget import require_budget
        from graphbuilder.backend.exporting import ExportRequest

        require_budget(graph)
        name = "the code" if path is None else str(path)
        request = ExportRequest(file, params, tuple(trust or ()), name, weights)
        content, parity = (
            _code(graph, document, request, verify, 2 if keras == 2 else 3)
            if chosen is Format.PYTHON
            else _model(graph, chosen, request, verify)
        )
        end = _said(chosen, parity)
        if parity is None:
            note(f"{name} was not run beside the compiled model (--no-verify)")
    if path is None:
        print_data(content.decode("utf-8"))
        return 0
    write_whole(path, content, force=force)
    print(f"{path} written{end}")
    return 0


def _format(path: Path | None, to: Format | None) -> Format:
    """The format that is asked for, by `--to` and by the output's name."""
    from graphbuilder.errors import CommandError, Diagnostic

    named = None if path is None else _ENDINGS.get(path.suffix.lower())
    if to is not None and named is not None and named is not to:
        raise CommandError(Diagnostic("GB603", f"--to {to} would be written to {path}, whose name says {named}"))
    found = to or named
    if found is None:
        what = "no format is said" if path is None else f"{path} does not say in which format to write"
        hint = f"end the output's name with {', '.join(_ENDINGS)}, or say --to"
        raise CommandError(Diagnostic("GB603", what, hint=hint))
    return found


def _refuse_misplaced(chosen: Format, path: Path | None, depth: int | None, weights: Path | None, keras: int) -> None:
    """Refuses options that the format has no use for.

    Raises:
        CommandError: with the first of them.
    """
    from graphbuilder.errors import CommandError, Diagnostic

    if depth is not None and chosen not in _DRAWINGS:
        hint = "leave it out, or write .svg, .mmd or .dot"
        raise CommandError(Diagnostic("GB603", "--depth is for drawings only", hint=hint))
    if weights is not None and chosen not in _MODELS:
        hint = "leave it out, or write .onnx or .tflite"
        raise CommandError(Diagnostic("GB603", f"--weights has no place in {chosen}", hint=hint))
    if keras == 2 and chosen is not Format.PYTHON:
        raise CommandError(Diagnostic("GB603", "--keras is for code only", hint="leave it out, or write .py"))
    if path is None and chosen in _MODELS:
        raise CommandError(Diagnostic("GB603", f"{chosen} is no text to print", hint=f"name a file: -o model.{chosen}"))


def _drawing(graph: Graph, document: Document, chosen: Format, depth: int | None) -> str:
    if chosen is Format.MERMAID:
        from graphbuilder.export import mermaid

        return mermaid(graph, depth)
    if chosen is Format.DOT:
        from graphbuilder.export import dot

        return dot(graph, depth, document)
    from graphbuilder.export import svg

    return svg(graph, 1 if depth is None else depth, document)


def _code(
    graph: Graph, document: Document, request: ExportRequest, verify: bool, keras: KerasVersion
) -> tuple[bytes, Parity | None]:
    if keras == 2:
        from graphbuilder.backend.exporting import write_legacy_code

        with progress(f"Writing {request.name}") as step:
            made = write_legacy_code(request, progress=lambda done: step(done.message, done.done or 0, done.total or 0))
    else:
        from graphbuilder.export import export_python

        made = export_python(graph, document)
    if made.flat is not None:
        note(f"the code has no functions for blocks: {made.flat}")
    if made.fixed:
        note(f"build_model has no argument for {', '.join(made.fixed)}: the code holds what they are now")
    parity = None
    if verify:
        from graphbuilder.backend.exporting import verify_code

        with progress(f"Running {request.name} beside the model") as step:
            parity = verify_code(
                request,
                made.source,
                keras=keras,
                progress=lambda done: step(done.message, done.done or 0, done.total or 0),
            )
    return made.source.encode("utf-8"), parity


def _model(graph: Graph, chosen: Format, request: ExportRequest, verify: bool) -> tuple[bytes, Parity | None]:
    from graphbuilder.backend.exporting import export_model_file

    if request.weights is None:
        begun = ", ".join(each.path for each in graph.pretraining)
        note(f"the weights are new{f' but for {begun}' if begun else ''}; --weights FILE loads trained ones")
    with progress(f"Exporting {request.name}") as step:
        return export_model_file(
            request,
            "onnx" if chosen is Format.ONNX else "tflite",
            graph,
            verify=verify,
            progress=lambda done: step(done.message, done.done or 0, done.total or 0),
        )


def _said(chosen: Format, parity: Parity | None) -> str:
    """What is said of a file that was run."""
    if parity is None:
        return ""
    if chosen is Format.PYTHON:
        return ": the same layers, and the same numbers on random inputs"
    return f": {parity.difference:.1e} off on random inputs, of {parity.tolerance:g} allowed"
