"""`graphbuilder train`: a blueprint is trained on data and saved."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphbuilder.cli.options import (
    FileArgument,
    ForceOption,
    FormatOption,
    LimitOption,
    OutputFormat,
    SetOption,
    TrustOption,
    parse_set,
)
from graphbuilder.cli.output import print_diagnostics
from graphbuilder.errors import CommandError, Diagnostic

if TYPE_CHECKING:
    from graphbuilder.backend.fitting import EpochRecord

__all__ = ["command"]

NAME = "train"
EPILOG = (
    "Examples: graphbuilder train cnn.yaml --data photos/ -o cnn.keras --epochs 20; "
    "graphbuilder train rows.yaml --data rows.csv -o rows.keras --history rows.history.csv; "
    "graphbuilder train cnn.yaml --data photos/ -o cnn.keras --resume"
)

_INTERRUPTED = 130


class PixelsOption(StrEnum):
    """How the brightness of images is told to the model."""

    AUTO = "auto"
    UNIT = "0..1"
    SIGNED = "-1..1"
    BYTES = "0..255"


class StrategyOption(StrEnum):
    """How several replicas train together."""

    MIRRORED = "mirrored"
    MULTI_WORKER = "multi_worker"


DataOption = Annotated[
    str,
    typer.Option(
        metavar="DATA",
        help="A .npz, .csv, .tsv or .tfrecord file, a folder of images (one folder for each class), digits, or "
        "package.module:function.",
        show_default=False,
    ),
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--columns", metavar="NAME=COLUMN,…", help="The columns or the array of an input or output; several times."
    ),
]


def command(
    file: FileArgument,
    data: DataOption,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Where to: .keras, .h5, .weights.h5, or a SavedModel folder.", show_default=False
        ),
    ],
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data, instead of the blueprint's.", show_default=False)
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Samples in one step, instead of the blueprint's.", show_default=False)
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Fixes everything random, instead of the blueprint's.", show_default=False)
    ] = None,
    validation_data: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="What to validate with after each epoch, as --data.", show_default=False),
    ] = None,
    columns: ColumnsOption = None,
    pixels: Annotated[PixelsOption, typer.Option(help="How the brightness of images is told.")] = PixelsOption.AUTO,
    settings: SetOption = None,
    limits: LimitOption = None,
    keras: Annotated[int, typer.Option(min=2, max=3, help="3 for Keras 3, 2 for the tf_keras twin.")] = 3,
    strategy: Annotated[
        StrategyOption | None,
        typer.Option(help="Train on all GPUs, or on the workers of TF_CONFIG.", show_default=False),
    ] = None,
    history: Annotated[
        Path | None, typer.Option(help="Where to write the epochs: .csv or .json.", show_default=False)
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="A .weights.h5 or .keras file to begin with, such as an earlier training gave.", show_default=False
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was interrupted.")] = False,
    force: ForceOption = False,
    trust: TrustOption = None,
    output_format: FormatOption = OutputFormat.TEXT,
) -> int:
    """Train a blueprint on data and save the model. Everything is checked before the first step."""
    from graphbuilder.api import check, lower
    from graphbuilder.backend.fitting_run import Request, prepare, train
    from graphbuilder.cli.train_output import TrainOutput
    from graphbuilder.cli.writing import refuse_existing
    from graphbuilder.data import parse_columns

    params = parse_set(settings)
    checked = check(file, params)
    # A file without a graph, because of errors or because it holds only blocks, is told by lowering it.
    graph = checked.graph or lower(file, params)
    print_diagnostics(checked.warnings)
    if history is not None:
        if history.suffix not in (".csv", ".json"):
            raise CommandError(Diagnostic("GB603", f"--history {history} must end in .csv or .json"))
        refuse_existing(history, force or resume)
    prepared = prepare(
        Request(
            graph,
            data,
            output,
            epochs,
            batch_size,
            seed,
            validation_data,
            2 if keras == 2 else 3,
            trust or (),
            parse_columns(columns),
            pixels.value,
            strategy.value if strategy is not None else None,
            resume,
            force,
            weights,
        )
    )
    print_diagnostics(prepared.data.warnings)
    shown = TrainOutput(output_format is OutputFormat.JSON, prepared)
    shown.begin()
    with _stopping() as stop:
        trained = train(prepared, watcher=shown, stop=stop)
    if history is not None and prepared.chief:
        _write_history(history, trained.history)
    shown.end(trained)
    return _INTERRUPTED if trained.stopped else 0


def _write_history(path: Path, records: tuple[EpochRecord, ...]) -> None:
    from graphbuilder.backend.fitting_state import history_text
    from graphbuilder.cli.writing import write_whole

    write_whole(path, history_text(records, path.suffix == ".json").encode(), force=True)


@contextlib.contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Lets the first Ctrl-C end the training after its batch, and the second at once.

    Yields:
        Whether to stop.
    """
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nstopping after this batch; Ctrl-C again stops at once", file=sys.stderr)

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before: Any = signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
