"""The state of a training on disk, from which it goes on after a break: weights, optimizer state and what was done."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphbuilder.backend.fitting import EpochRecord
from graphbuilder.errors import BlueprintError, Diagnostic, MissingError
from graphbuilder.graph import Constant, Graph, Layer, Value, map_structure

__all__ = [
    "Kept",
    "StateFolder",
    "changed_settings",
    "history_text",
    "model_fingerprint",
    "restore",
    "snapshot",
]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """What a state folder says of a training.

    Arguments:
        settings: what must be the same for the training to go on, by a name that people understand.
        seed: the seed, also where it was drawn.
        epochs: how many were asked for.
        records: the epochs that are done.
        file: the name of the file with the weights and the optimizer's state.
    """

    settings: Mapping[str, Any]
    seed: int
    epochs: int
    records: tuple[EpochRecord, ...]
    file: str


class StateFolder:
    """The folder beside an output in which the state of its training is kept, until the output is saved.

    Arguments:
        output: where the model will be saved.
    """

    def __init__(self, output: Path) -> None:
        self.path = output.with_name(f"{output.name}.state")

    def exists(self) -> bool:
        """Whether a state is kept."""
        return (self.path / "state.json").is_file()

    def read(self) -> Kept:
        """What is kept.

        Raises:
            BlueprintError: it cannot be read, or is of another version of graphbuilder.
        """
        try:
            held = json.loads((self.path / "state.json").read_text(encoding="utf-8"))
            if held["format"] != _FORMAT:
                raise ValueError(f"it is of format {held['format']}, and this graphbuilder reads {_FORMAT}")
            records = tuple(EpochRecord(item["epoch"], item["values"], item["seconds"]) for item in held["records"])
            return Kept(held["settings"], held["seed"], held["epochs"], records, held["file"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unreadable(error) from error

    def arrays(self, kept: Kept) -> dict[str, Any]:
        """The weights and the optimizer's state.

        Raises:
            BlueprintError: they cannot be read.
        """
        import zipfile

        import numpy as np

        try:
            # A name of a file in this very folder: a state is no place to read other files from.
            with np.load(self.path / Path(kept.file).name, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise self._unreadable(error) from error

    def write(self, kept: Kept, arrays: Mapping[str, Any]) -> None:
        """Replaces what is kept; whatever happens meanwhile, the old state or the new one is there, whole.

        Raises:
            MissingError: it cannot be written.
        """
        import numpy as np

        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with _beside(self.path / kept.file).open("wb") as file:
                np.savez(file, **arrays)
                file.flush()
                os.fsync(file.fileno())
            _beside(self.path / kept.file).replace(self.path / kept.file)
            records = [
                {"epoch": record.number, "values": dict(record.values), "seconds": record.seconds}
                for record in kept.records
            ]
            text = json.dumps(
                {
                    "format": _FORMAT,
                    "settings": dict(kept.settings),
                    "seed": kept.seed,
                    "epochs": kept.epochs,
                    "records": records,
                    "file": kept.file,
                },
                indent=2,
            )
            with _beside(self.path / "state.json").open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # From here on the new state holds.
            _beside(self.path / "state.json").replace(self.path / "state.json")
            for old in self.path.glob("epoch-*.npz"):
                if old.name != kept.file:
                    old.unlink(missing_ok=True)
        except OSError as error:
            raise MissingError(
                Diagnostic("GB602", f"{self.path} cannot be written: {error.strerror or error}")
            ) from error

    def remove(self) -> None:
        """Takes the folder away. What says that a state is kept goes first."""
        (self.path / "state.json").unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)

    def require(self, kept: Kept, settings: Mapping[str, Any], epochs: int) -> None:
        """Refuses to go on with a training that was another one.

        Arguments:
            kept: what is kept.
            settings: those of the training that would go on.
            epochs: how many epochs it would have.

        Raises:
            BlueprintError: settings differ, each with what it was, or more epochs are done already.
        """
        found = changed_settings(kept.settings, settings, self.path)
        if not found and len(kept.records) > epochs:
            message = f"{len(kept.records)} epochs are done already, and {epochs} are asked for"
            found.append(Diagnostic("GB723", message, file=str(self.path)))
        if found:
            hint = "go on with the same command, or begin anew with --force"
            raise BlueprintError([*found[:-1], _hinted(found[-1], hint)])

    def _unreadable(self, error: Exception) -> BlueprintError:
        reason = " ".join(str(error).split())[:200]
        return BlueprintError(
            Diagnostic(
                "GB723", f"the kept state cannot be read: {reason}", file=str(self.path), hint="--force begins anew"
            )
        )


def changed_settings(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> list[Diagnostic]:
    """What keeps a run from going on, because it is no longer the same one.

    Arguments:
        before: the settings that it began with, by names that people understand.
        now: those that it would go on with.
        folder: where its state is kept.
    """
    found = []
    for name in dict.fromkeys([*before, *now]):
        was, become = before.get(name), now.get(name)
        if was == become:
            continue
        short = all(isinstance(value, (int, float, str, bool)) and len(str(value)) < 40 for value in (was, become))
        message = f"{name} was {was} and is {become} now" if short else f"{name} is no longer what it was"
        found.append(Diagnostic("GB723", message, file=str(folder)))
    return found


def _hinted(diagnostic: Diagnostic, hint: str) -> Diagnostic:
    return Diagnostic(diagnostic.code, diagnostic.message, file=diagnostic.file, hint=hint)


def _beside(path: Path) -> Path:
    """Where a file is written before it gets its name."""
    return path.with_name(f".{path.name}.new")


def snapshot(model: Any) -> dict[str, Any]:
    """The weights and the optimizer's state of a compiled model of either Keras, as NumPy arrays.

    On several workers every one must call this, because reading some weights is an exchange between them.
    """
    return {name: _plain(variable.numpy()) for name, variable in _variables(model)}


def restore(model: Any, arrays: Mapping[str, Any]) -> None:
    """Puts what `snapshot` gave into a model of the same blueprint.

    Raises:
        BlueprintError: it is of another model.
    """
    variables = _variables(model)
    if {name for name, _ in variables} != arrays.keys():
        raise BlueprintError(Diagnostic("GB723", "the kept state is of a model with other weights"))
    for name, variable in variables:
        array = arrays[name]
        if "bfloat16" in str(variable.dtype) and array.dtype.kind == "u":
            from ml_dtypes import bfloat16

            array = array.view(bfloat16)
        if tuple(variable.shape) != array.shape:
            raise BlueprintError(Diagnostic("GB723", "the kept state is of a model with other weights"))
        variable.assign(array)


def _plain(array: Any) -> Any:
    """The array in a dtype that NumPy writes; bfloat16 becomes its bits."""
    return array.view("uint16") if str(array.dtype) == "bfloat16" else array


def _variables(model: Any) -> list[tuple[str, Any]]:
    """Everything that training changes, by a name that is the same in every process."""
    found = [(f"weight_{number}", variable) for number, variable in enumerate(model.weights)]
    held = _optimizer_variables(model.optimizer, model.trainable_variables)
    return found + [(f"optimizer_{number}", variable) for number, variable in enumerate(held)]


def _optimizer_variables(optimizer: Any, trained: Any) -> Any:
    """The state of an optimizer, made if it was not used yet."""
    if hasattr(optimizer, "_create_all_weights"):
        # One of tf_keras's older optimizers, which tf_keras still takes where options are given.
        optimizer._create_all_weights(trained)
        return optimizer.weights
    if not getattr(optimizer, "built", False) or not optimizer.variables:
        optimizer.build(trained)
    return optimizer.variables


def model_fingerprint(graph: Graph) -> str:
    """Changes when the model or what is minimized does, whatever the file's comments and layout."""
    digest = hashlib.sha256()

    def leaf(argument: Value | Constant) -> str:
        return argument.name if isinstance(argument, Value) else repr((argument.value, argument.dtype))

    for name, given in graph.inputs.items():
        digest.update(repr((name, given.value.type)).encode())
    for call in graph.calls.values():
        target = call.target.entry if isinstance(call.target, Layer) else call.target
        owner = call.target.name if isinstance(call.target, Layer) else ""
        arguments = {port: map_structure(leaf, argument) for port, argument in call.arguments.items()}
        digest.update(repr((call.name, owner, call.kind, target, arguments, sorted(call.options.items()))).encode())
    digest.update(repr(map_structure(leaf, graph.outputs)).encode())
    training = graph.training or {}
    digest.update(repr([training.get(key) for key in ("optimizer", "loss", "loss_weights")]).encode())
    return digest.hexdigest()


def history_text(records: Sequence[EpochRecord], as_json: bool) -> str:
    """The epochs as a CSV table or a JSON document.

    Arguments:
        records: the epochs.
        as_json: which of the two.
    """
    if as_json:
        rows = [{"epoch": record.number, **record.values, "seconds": round(record.seconds, 3)} for record in records]
        return json.dumps(rows, indent=2) + "\n"
    names = list(dict.fromkeys(name for record in records for name in record.values))
    lines = [",".join(["epoch", *names, "seconds"])]
    for record in records:
        values = [str(record.values.get(name, "")) for name in names]
        lines.append(",".join([str(record.number), *values, f"{record.seconds:.3f}"]))
    return "\n".join(lines) + "\n"
