"""Warns where layers do not suit what they are given, as far as the inputs' modalities tell.

What is said here must be right nearly always: a rule that would blame what people do on purpose is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from graphbuilder.catalog import Entry, Keeping, Neighbours, Reading, TensorType, shape_text
from graphbuilder.catalog.tensor import elements, is_float
from graphbuilder.errors import Related, Severity
from graphbuilder.graph import Call, Fusion, GraphInput, Value
from graphbuilder.lowering.contents import Contents, entry_of, values_at
from graphbuilder.lowering.modality_inputs import KNOWN, check_input
from graphbuilder.lowering.walk import Walk

__all__ = ["warn_modalities"]

# Up to so many frequencies may be pooled with time: a network that has come down to them has seen the whole axis.
FEW_FREQUENCIES = 8

# How many other places of one fault are told.
MORE_PLACES = 3


@dataclass(slots=True)
class _Fault:
    """One fault, however many layers show it.

    Arguments:
        code: the diagnostic's code.
        message: what is wrong.
        calls: the layers that show it, in order.
        at: an input to point at instead of the first of them, and then they are told beside it.
        argument: the key of the node or input to point at, or none for its name.
        fix: the text that would stand there.
    """

    code: str
    message: str
    expected: str | None
    hint: str
    calls: list[Call] = field(default_factory=list)
    at: str | None = None
    argument: tuple[str, ...] = ()
    fix: str | None = None


def warn_modalities(walk: Walk, calls: Mapping[str, Call], fusions: Mapping[str, Fusion]) -> None:
    """Adds warnings about inputs and layers that do not suit the modality that the author states.

    Arguments:
        walk: a walk that found no error.
        calls: the calls that the outputs depend on.
        fusions: the fusions among them.
    """
    if all(item.modality is None for item in walk.inputs.values()):
        return
    faults = _Faults(walk, calls, fusions).found
    for fault in faults:
        _report(walk, fault)


def _report(walk: Walk, fault: _Fault) -> None:
    """Reports a fault at an input or at the first call, in the user's own file."""
    node, others = fault.at, fault.calls
    path: tuple[str | int, ...] = ("inputs", fault.at or "", *fault.argument)
    related: list[Related] = []
    if node is None:
        first, *others = fault.calls
        node, path = first.name, (*first.origin.path, *fault.argument)
        if first.origin.source is not walk.document.source:
            place = first.origin.position(key=True)
            related.append(Related("inside the block", first.origin.source.name, place))
            path = ("nodes", first.name.partition(".")[0])
    for call in others[:MORE_PLACES]:
        inside = call.origin.source is walk.document.source
        position = call.origin.position(key=True) if inside else None
        related.append(Related(f"{'here' if fault.at else 'and here'}: {call.name}, {call.kind}", None, position))
    if len(others) > MORE_PLACES:
        related.append(Related(f"and {len(others) - MORE_PLACES} more"))
    walk.reports.add(
        walk.root,
        fault.code,
        fault.message,
        path,
        key=fault.fix is None,
        node=node,
        severity=Severity.WARNING,
        expected=fault.expected,
        hint=fault.hint,
        fix=fault.fix,
        related=tuple(related),
    )


class _Faults:
    """The faults of one graph, in `found`.

    Arguments:
        walk: the walk.
        calls: the live calls.
        fusions: the live fusions.
    """

    def __init__(self, walk: Walk, calls: Mapping[str, Call], fusions: Mapping[str, Fusion]) -> None:
        self.inputs = walk.inputs
        self.calls = calls
        # What the author writes under `align:` is meant so; `pool` may be meant and be wrong.
        adapters = {
            adapter.call: (branch.name, adapter.written)
            for fusion in fusions.values()
            for branch in fusion.branches
            for adapter in branch.adapters
            if branch.stated
        }
        self.stated = adapters
        self.contents = Contents(self.inputs, calls.values(), adapters)
        self._faults: dict[tuple[str, str], _Fault] = {}
        for name, item in self.inputs.items():
            self._input(name, item)
        for call in calls.values():
            entry = entry_of(call)
            if entry is not None:
                self._call(call, entry)

    @property
    def found(self) -> Iterable[_Fault]:
        """What was found."""
        return self._faults.values()

    def _input(self, name: str, item: GraphInput) -> None:
        if item.modality is None or item.value.type is None:
            return
        problem = check_input(item.modality, item.value.type)
        if problem is not None:
            fault = _Fault("GB312", problem.message, problem.expected, problem.hint, at=name)
            fault.argument, fault.fix = problem.argument, problem.fix
            self._faults["input", name] = fault

    def _call(self, call: Call, entry: Entry) -> None:
        self._pooled_spectrogram(call, entry)
        for port in entry.ports:
            # A mask tells what counts, whatever its numbers are.
            if port.optional and port.name.endswith("mask"):
                continue
            for value in values_at(call, port.name):
                self._looked_up(call, entry, value)
                for name, how in self.contents.held(value).items():
                    self._raw(call, entry, value, self.inputs[name], how)

    def _raw(self, call: Call, entry: Entry, value: Value, item: GraphInput, how: Keeping) -> None:
        """What is wrong with a call that gets the numbers of an input, if anything."""
        if value.type is None or item.value.type is None or item.modality not in KNOWN:
            return
        match item.modality:
            case "text" if how is Keeping.NUMBERS and not is_float(item.value.type.dtype):
                self._ids(call, entry, value.type, item)
            case "text" if how is Keeping.NUMBERS:
                self._float_ids(call, entry, value.type, item)
            case "tabular":
                self._columns(call, entry, value.type, item)
            case "image" | "video":
                self._axes(call, entry, value.type, item)

    def _add(self, rule: str, about: str, fault: _Fault, call: Call) -> None:
        self._faults.setdefault((rule, about), fault).calls.append(call)

    def _ids(self, call: Call, entry: Entry, arriving: TensorType, item: GraphInput) -> None:
        """Ids of words are weighed and summed."""
        given = item.value.type
        assert given is not None
        if entry.reading is not Reading.QUANTITIES or arriving.dtype == "string" or elements(given.shape[1:]) == 1:
            return
        name = item.value.name
        told = f"{call.kind} computes with the ids of {name} as if they were quantities, but ids are names of words"
        hint = f"put an Embedding behind {name}; if they are counts, declare them as float32"
        self._add("ids", name, _Fault("GB311", told, "vectors", hint), call)

    def _float_ids(self, call: Call, entry: Entry, arriving: TensorType, item: GraphInput) -> None:
        """Ids of words are declared as floats: they are looked up, or each is a step of a sequence."""
        given = item.value.type
        assert given is not None
        looked_up = entry.reading is Reading.NAMES and is_float(arriving.dtype)
        steps = given.rank == 2 and entry.neighbours is not Neighbours.APART and arriving.shape[-1] == 1
        if looked_up or steps:
            name = item.value.name
            use = "its numbers are looked up as ids" if looked_up else "its numbers are taken one after the other"
            told = f"it is text of {given.dtype}, and {use}"
            hint = "write dtype: int32" + ("" if looked_up else ", and put an Embedding behind it")
            self._add("float ids", name, _Fault("GB312", told, "whole numbers, the ids of words", hint, at=name), call)

    def _columns(self, call: Call, entry: Entry, arriving: TensorType, item: GraphInput) -> None:
        """The columns of a table are taken for neighbours, or for steps."""
        given = item.value.type
        assert given is not None
        if given.rank != 2 or entry.neighbours is Neighbours.APART or not is_float(given.dtype):
            return
        if arriving.shape[-1] != 1:
            return  # brought into an order on purpose, such as a row of readings into steps of features
        name = item.value.name
        taken = "neighbours" if entry.neighbours is Neighbours.WINDOW else "steps that follow one another"
        told = f"{call.kind} takes the columns of {name} for {taken}, and columns of a table stand in no order"
        hint = f"use Dense layers on {name} as it is; steps of time have the shape [steps, features]"
        self._add("columns", name, _Fault("GB311", told, None, hint), call)

    def _axes(self, call: Call, entry: Entry, arriving: TensorType, item: GraphInput) -> None:
        """An image or a video lacks an axis, or has its channels in front, and a layer takes one axis for another."""
        given = item.value.type
        assert given is not None
        if arriving.shape != given.shape:
            return
        name, shape = item.value.name, given.shape
        window = entry.neighbours is Neighbours.WINDOW
        sizes = list(shape[1:])
        square = len(sizes) >= 2 and isinstance(sizes[-1], int) and sizes[-2] == sizes[-1]
        if item.modality == "image" and given.rank == 3:
            ordered = entry.neighbours is Neighbours.ORDER
            if window or (square and entry.keeping is Keeping.NOTHING and not ordered):
                told = f"it is an image of {shape_text(shape)} without channels, and its rows are taken for steps"
                expected = "(batch, height, width, channels)"
                self._add("axes", name, _shape_fault(told, expected, [*sizes, 1], name, alone=False), call)
        elif item.modality == "image" and given.rank == 4 and window:
            first = getattr(entry, "data_format", None) == "channels_first"
            if sizes[0] in (1, 3) and square and isinstance(sizes[-1], int) and sizes[-1] > 4 and not first:
                told = f"it is an image of {shape_text(shape)}, and its columns are taken for channels"
                expected = "(batch, height, width, channels)"
                turned = [*sizes[1:], sizes[0]]
                self._add("axes", name, _shape_fault(told, expected, turned, name, alone=True), call)
        elif item.modality == "video" and given.rank == 4 and window:
            expected = "(batch, frames, height, width, channels)"
            if sizes[-1] in (1, 3, 4):
                told = f"it is a video of {shape_text(shape)}, which is a single image"
                hint = f"write shape: [frames, {', '.join(map(_axis, sizes))}], or modality: image"
                self._add("axes", name, _Fault("GB312", told, expected, hint, at=name), call)
            elif square:
                told = f"it is a video of {shape_text(shape)} without channels, and columns are taken for them"
                self._add("axes", name, _shape_fault(told, expected, [*sizes, 1], name, alone=False), call)

    def _looked_up(self, call: Call, entry: Entry, value: Value) -> None:
        """What was measured is looked up in a table, as if it were ids."""
        if entry.reading is not Reading.NAMES or value.type is None or not is_float(value.type.dtype):
            return
        sense = value.modalities[0] if len(value.modalities) == 1 else None
        if sense not in ("image", "audio", "video") or not self.contents.measured(value):
            return
        told = f"{call.kind} looks up the numbers of {value.name} as if they were ids, and {_MEASURED[sense]}"
        hint = "use Dense or convolutions, which compute with quantities"
        self._add("looked up", call.name, _Fault("GB311", told, "whole numbers that name things", hint), call)

    def _pooled_spectrogram(self, call: Call, entry: Entry) -> None:
        """Frequency is pooled away together with time."""
        value = next(call.inputs(), None)
        if value is None or value.type is None or value.type.rank != 4 or value.modalities != ("audio",):
            return
        _, time, frequencies, channels = value.type.shape
        if sorted(entry.pooled_axes(value.type)) != [1, 2] or not isinstance(frequencies, int):
            return
        # Which of the two is time is not sure, so neither may be small.
        if any(isinstance(places, int) and places <= FEW_FREQUENCIES for places in (time, frequencies)):
            return
        if not isinstance(channels, int) or self._gates(call, value):
            return
        told = (
            f"{call.kind} pools {frequencies} frequencies of {value.name} together with time, and which of them sound "
        )
        told += "is what tells sounds apart"
        steps = f"[{time if isinstance(time, int) else -1}, {frequencies * channels}]"
        stated = self.stated.get(call.name)
        if stated is not None:
            hint = f"write align: {{{stated[0]}: [steps, pool]}}, or leave it to align: auto, which keeps frequencies"
            fault = _Fault("GB311", told, None, hint, argument=("align", stated[0]))
        else:
            hint = f"average time alone: {{layer: Reshape, target_shape: {steps}}}, then GlobalAveragePooling1D; or "
            hint += "leave it to a fusion, whose align: auto does so"
            fault = _Fault("GB311", told, None, hint)
        self._add("frequencies", call.name, fault, call)

    def _gates(self, pooled: Call, value: Value) -> bool:
        """Whether what is pooled comes back to a map that it weighs, as in squeeze and excitation."""
        behind = set(pooled.outputs)
        started = False
        for call in self.calls.values():
            started = started or call is pooled
            if not started or call is pooled:
                continue
            given = list(call.inputs())
            if not behind.isdisjoint(given):
                behind.update(call.outputs)
                if any(other not in behind and other.type is not None and other.type.rank >= 4 for other in given):
                    return True
        return False


_MEASURED = {
    "image": "the numbers of an image are brightnesses",
    "audio": "the numbers of a sound are loudnesses",
    "video": "the numbers of a video are brightnesses",
}


def _axis(size: int | str | None) -> str:
    return "null" if size is None else str(size)


def _shape_fault(message: str, expected: str, sizes: Sequence[int | str | None], name: str, *, alone: bool) -> _Fault:
    """The fault of an input whose shape was meant otherwise.

    Arguments:
        message: what is wrong.
        expected: the axes that are expected.
        sizes: the shape that was probably meant, the batch left out.
        name: the input.
        alone: whether the layers stay as they are; with another number of axes they are others.
    """
    written = f"[{', '.join(map(_axis, sizes))}]"
    hint = f"write shape: {written}" + (", and give the data so" if alone else "")
    return _Fault(
        "GB312", message, expected, hint, at=name, argument=("shape",) if alone else (), fix=written if alone else None
    )
