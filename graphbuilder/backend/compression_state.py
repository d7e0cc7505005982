"""The state of a compression on disk, from which it goes on after a break: finished stages, and the one under way.

No TensorFlow here. Everything appears by a rename, so that what stands there is whole whenever the run was killed.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphbuilder.backend.fitting_state import StateFolder, changed_settings
from graphbuilder.compression.low_rank import factored
from graphbuilder.compression.passes import LowRank
from graphbuilder.compression.plan import Stage as PlannedStage
from graphbuilder.compression.plan import plan_compression
from graphbuilder.compression.report import Stage
from graphbuilder.compression.targets import Kept, Record
from graphbuilder.errors import BlueprintError, Diagnostic, Severity
from graphbuilder.graph import Graph

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FinishedStage", "RunState", "planned_stage", "stage_graphs"]

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class FinishedStage:
    """A stage that is done.

    Arguments:
        number: 0 for the model as it was trained, then the passes from 1.
        folder: where its files stand: weights.npz, expected.npz, what conversion starts from, and stage 0's samples.
        facts: what the report says of it, without what conversion adds.
        record: what later passes keep.
        aware: whether what conversion starts from knows its ranges itself.
    """

    number: int
    folder: Path
    facts: Stage
    record: Record
    aware: bool

    def weights(self) -> dict[tuple[str, str], np.ndarray]:
        """The weights of the float model, by the layer's path and the weight's."""
        import numpy

        with numpy.load(self.folder / "weights.npz", allow_pickle=False) as file:
            places = json.loads((self.folder / "stage.json").read_text(encoding="utf-8"))["weights"]
            return {(layer, path): file[f"w{index}"] for index, (layer, path) in enumerate(places)}


class RunState:
    """The folder beside an output in which the state of its compression is kept.

    Arguments:
        output: the folder that the compression will write.
    """

    def __init__(self, output: Path) -> None:
        self.output = output
        self.path = output.with_name(f"{output.name}.state")

    def exists(self) -> bool:
        """Whether a state is kept."""
        return (self.path / "run.json").is_file()

    def settings(self) -> dict[str, Any]:
        """What the run began with.

        Raises:
            BlueprintError: it cannot be read, or is of another version of graphbuilder.
        """
        try:
            held = json.loads((self.path / "run.json").read_text(encoding="utf-8"))
            if held["format"] != _FORMAT:
                raise ValueError(f"it is of format {held['format']}, and this graphbuilder reads {_FORMAT}")
            return dict(held["settings"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._unreadable(error) from error

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Begins a run, or goes on with the one that is kept.

        Arguments:
            settings: what must be the same, by names that people understand.

        Raises:
            BlueprintError: what is kept is of another run.
        """
        if self.exists():
            found = changed_settings(self.settings(), json.loads(json.dumps(settings)), self.path)
            if found:
                hint = "go on with the same command, or begin anew with --force"
                last = found[-1]
                found[-1] = Diagnostic(last.code, last.message, file=last.file, hint=hint)
                raise BlueprintError(found)
            return
        self.path.mkdir(parents=True, exist_ok=True)
        written = json.dumps({"format": _FORMAT, "settings": dict(settings)}, indent=2)
        _write(self.path / "run.json", written)

    def take_over(self, first: Path) -> None:
        """Makes another run's first stage this run's own.

        Arguments:
            first: the folder of that stage.
        """
        target = self._stage(0)
        if target.exists():
            return
        self.path.mkdir(parents=True, exist_ok=True)
        made = self._part(0)
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(first, made)
        made.replace(target)

    def finished(self) -> list[FinishedStage]:
        """The stages that are done, in order.

        Raises:
            BlueprintError: one cannot be read.
        """
        found: list[FinishedStage] = []
        while (folder := self._stage(len(found))).is_dir():
            try:
                held = json.loads((folder / "stage.json").read_text(encoding="utf-8"))
                record = {(layer, weight): Kept(*kept) for layer, weight, *kept in held["record"]}
                facts = Stage.model_validate(held["facts"])
                found.append(FinishedStage(len(found), folder, facts, record, bool(held["aware"])))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise self._unreadable(error) from error
        return found

    @contextlib.contextmanager
    def finishing(
        self, number: int, facts: Stage, record: Record, weights: Mapping[tuple[str, str], np.ndarray], *, aware: bool
    ) -> Iterator[Path]:
        """Writes a stage that is done; it counts once the block is left.

        Arguments:
            number: which stage.
            facts: what the report says of it.
            record: what later passes keep.
            weights: those of the float model.
            aware: whether what conversion starts from knows its ranges itself.

        Yields:
            The folder for its other files.
        """
        import numpy

        made = self._part(number)
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        with (made / "weights.npz").open("wb") as file:
            numbered = {f"w{index}": array for index, array in enumerate(weights.values())}
            numpy.savez(file, **numbered)  # type: ignore[arg-type]  # names of arrays, not of options
        held = {
            "facts": facts.model_dump(mode="json", exclude_none=True),
            "record": [[layer, weight, kept.zeros, kept.values] for (layer, weight), kept in record.items()],
            "weights": [list(place) for place in weights],
            "aware": aware,
        }
        (made / "stage.json").write_text(json.dumps(held), encoding="utf-8")
        yield made
        made.replace(self._stage(number))
        self.under_way(number).remove()

    def under_way(self, number: int) -> StateFolder:
        """Where the state of a stage's training is kept from epoch to epoch."""
        return StateFolder(self._stage(number))

    @property
    def final(self) -> Path:
        """Where the finished Keras model and its weights stand."""
        return self.path / "final"

    @contextlib.contextmanager
    def finishing_model(self) -> Iterator[Path]:
        """Writes the finished model's files; they count once the block is left.

        Yields:
            The folder for them.
        """
        made = self.path / ".final.part"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        yield made
        made.replace(self.final)

    def progress(self) -> str:
        """How far the run is, for messages.

        Raises:
            BlueprintError: what is kept cannot be read.
        """
        stages = len(self.settings().get("the list of passes", ())) + 1
        done = self.finished()
        kept = self.under_way(len(done))
        count = len(kept.read().records) if kept.exists() else 0
        epochs = f" and {count} {'epoch' if count == 1 else 'epochs'}" if count else ""
        return f"{len(done)} of {stages} stages{epochs} done"

    def remove(self) -> None:
        """Takes the folder away. What says that a state is kept goes first."""
        (self.path / "run.json").unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)

    def _stage(self, number: int) -> Path:
        return self.path / f"stage-{number}"

    def _part(self, number: int) -> Path:
        return self.path / f".stage-{number}.part"

    def _unreadable(self, error: Exception) -> BlueprintError:
        reason = " ".join(str(error).split())[:200]
        message = f"the kept state cannot be read: {reason}"
        return BlueprintError(Diagnostic("GB723", message, file=str(self.path), hint="--force begins anew"))


def _write(path: Path, text: str) -> None:
    made = path.with_name(f".{path.name}.part")
    made.write_text(text, encoding="utf-8")
    made.replace(path)


def planned_stage(graph: Graph, number: int) -> PlannedStage:
    """What a pass does to a graph, which earlier passes may have changed.

    Arguments:
        graph: the graph as it stands when the pass begins.
        number: the pass, from 1.

    Raises:
        BlueprintError: a layer that the pass names cannot be changed any more.
    """
    plan, diagnostics = plan_compression(replace(graph, compression=(graph.compression[number - 1],)))
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    if errors:
        raise BlueprintError(errors)
    return plan.stages[0]


def stage_graphs(graph: Graph, stages: list[FinishedStage]) -> list[Graph]:
    """The graph of each stage: passes of low rank make another one.

    Arguments:
        graph: the blueprint's.
        stages: the stages that are done, in order.
    """
    found: list[Graph] = []
    for stage in stages:
        if stage.number:
            planned = planned_stage(graph, stage.number)
            if isinstance(planned.declared, LowRank):
                graph = factored(graph, planned.targets, stages[stage.number - 1].weights()).graph
        found.append(graph)
    return found
