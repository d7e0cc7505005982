"""Which layers convert to TFLite under which scheme, in the forms that they have in a graph."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from graphbuilder.catalog import LayerEntry
from graphbuilder.compression.conversion_table import (
    ACTIVATIONS,
    AWARE,
    EXCEPTIONS,
    FED_FLOATS,
    JOINED,
    LEFT_FLOAT,
    LEFT_OUT,
    LEGAL,
    MIXED_ATTENTION,
    SCHEMES,
    UNCONVERTED,
    ConversionRuling,
    Outcome,
    Scheme,
    illegal,
)
from graphbuilder.compression.kernels import kernels_of
from graphbuilder.compression.legality_table import MOVING
from graphbuilder.graph import Call, CustomLayer, Graph, Layer

__all__ = [
    "JOINS",
    "KEEPING_SCALES",
    "SCHEMES",
    "ConversionRuling",
    "Outcome",
    "Scheme",
    "conversion_ruling",
    "form_of",
    "ruling_of_form",
    "rulings",
]

# What TFLite joins at one scale, and what passes a scale on unchanged.
JOINS = frozenset({"Concatenate", "concatenate", "stack", "Maximum", "Minimum", "maximum", "minimum"})
KEEPING_SCALES = JOINS | frozenset(
    "Flatten Reshape Permute RepeatVector Dropout SpatialDropout1D GaussianDropout GaussianNoise AlphaDropout Identity "
    "ActivityRegularization MaxPooling1D GlobalMaxPooling1D Cropping1D ZeroPadding1D UpSampling1D max min expand_dims "
    "squeeze reshape transpose swapaxes moveaxis flip repeat tile pad split unstack get_item take".split()
)
_ELSEWHERE = "use a layer that tf_keras has too, or leave the model uncompressed"
# Kinds whose mask changes what they are converted to.
_MASKS = frozenset({"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"})
# Without a mask and laid out step by step there is no loop whose ranges cannot be measured.
_RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN"})


def form_of(layer: Layer, masked: bool = False) -> str:
    """What a layer is ruled by: its kind, what it wraps, whether it is masked or unrolled, an activation of note.

    Arguments:
        layer: the layer.
        masked: whether it is called with a mask.
    """
    return layer.kind if isinstance(layer.entry, CustomLayer) else _form(layer.entry, masked)


def _form(entry: LayerEntry, masked: bool) -> str:
    kind = type(entry).name()
    inner = [getattr(entry, name, None) for name in ("layer", "backward_layer")]
    forms = [_form(each, masked) for each in inner if isinstance(each, LayerEntry)]
    if forms:
        # Of two directions the one whose steps are not laid out decides.
        return f"{kind} of {min(forms, key=len)}"
    words = []
    if masked and kind in _MASKS:
        words.append("masked")
    if getattr(entry, "unroll", False):
        words.append("unrolled")
    form = f"{kind} {', '.join(words)}" if words else kind
    activation = getattr(entry, "activation", None)
    return f"{form} with {activation.name}" if activation is not None and activation.name in ACTIVATIONS else form


def ruling_of_form(form: str, scheme: Scheme, *, trained: bool | None = None) -> ConversionRuling:
    """What comes of a form under a scheme; a wrapper follows what it wraps where it has no row of its own.

    Arguments:
        form: as `form_of` gives it.
        scheme: what it is converted to.
        trained: None where the model is quantized after training; else whether training for 8 bits was aware of the
            layer, or left it out.
    """
    form, _, activation = form.partition(" with ")
    if activation and trained is None:
        return _worse(ruling_of_form(form, scheme), ACTIVATIONS[activation].get(scheme, LEGAL))
    for row in _rows(form):
        if row.partition(" ")[0] in UNCONVERTED:
            return UNCONVERTED[row.partition(" ")[0]]
        if trained is None and row in EXCEPTIONS:
            return EXCEPTIONS[row].get(scheme, LEGAL)
        if trained and row in AWARE:
            return AWARE[row]
        if trained is False and row in LEFT_OUT:
            return LEFT_OUT[row]
    return LEFT_FLOAT if trained is False else LEGAL


def _worse(one: ConversionRuling, other: ConversionRuling) -> ConversionRuling:
    """The one of two rulings that is less legal, the first where they are alike."""
    order = (Outcome.LEGAL, Outcome.FLOAT, Outcome.ILLEGAL)
    return other if order.index(other.outcome) > order.index(one.outcome) else one


def _rows(form: str) -> Iterator[str]:
    """The rows that speak of a form, the nearest first."""
    yield form
    if form.startswith("Bidirectional of ") and "masked" in form:
        # A masked layer is no better off in both directions.
        yield from _rows(form.removeprefix("Bidirectional of "))
    if form.startswith("TimeDistributed of "):
        yield from _rows(form.removeprefix("TimeDistributed of "))
    kind, _, words = form.partition(" ")
    if words == "masked, unrolled" and kind == "SimpleRNN":
        yield "GRU masked, unrolled"
    elif words == "masked" and kind not in _RECURRENT:
        yield kind
    elif words == "masked":
        yield "GRU masked"


def conversion_ruling(
    layer: Layer, scheme: Scheme, *, masked: bool = False, trained: bool | None = None
) -> ConversionRuling:
    """What comes of converting a layer under a scheme. Of custom layers nothing is known, so nothing is refused.

    Arguments:
        layer: the layer.
        scheme: what it is converted to.
        masked: whether it is called with a mask.
        trained: None where the model is quantized after training; else whether training for 8 bits was aware of the
            layer, or left it out.
    """
    if isinstance(layer.entry, CustomLayer):
        return LEGAL
    return _without_twin(layer.entry) or ruling_of_form(form_of(layer, masked), scheme, trained=trained)


def _without_twin(entry: LayerEntry) -> ConversionRuling | None:
    """The ruling on a layer that tf_keras, from which conversion starts, lacks or cannot make as it is written."""
    legacy = type(entry).legacy
    lack = legacy.absent or legacy.differs
    if lack is not None:
        return illegal(f"conversion starts from tf_keras, and there {lack}", _ELSEWHERE)
    for name in legacy.lacking:
        # A twin without a seed is a twin.
        if name != "seed" and getattr(entry, name) != type(entry).model_fields[name].default:
            kind = type(entry).name()
            return illegal(f"conversion starts from tf_keras, whose {kind} has no {name}", f"leave {name} out")
    inner = [getattr(entry, name, None) for name in ("layer", "backward_layer")]
    found = [_without_twin(each) for each in inner if isinstance(each, LayerEntry)]
    return next(filter(None, found), None)


def rulings(graph: Graph, scheme: Scheme, *, trained: Collection[str] | None = None) -> dict[str, ConversionRuling]:
    """What comes of each layer of a graph, by its path; of its calls, the one that fares worst.

    Beside the table this sees LSTMs whose output is joined with other values (`Concatenate`) under int8, and attention
    that training for 8 bits leaves out and feeds.

    Arguments:
        graph: the graph.
        scheme: what it is converted to.
        trained: the layers that training for 8 bits was aware of; None where the model is quantized after training.
    """
    found: dict[str, ConversionRuling] = {}
    mixed = set() if trained is None else _mixed_attention(graph, trained)
    fed_floats = set() if trained is None else _fed_floats(graph, trained)
    joined = _joined_lstms(graph) if scheme == "int8" and trained is None else set()
    for call in graph.calls.values():
        if isinstance(call.target, Layer):
            name = call.target.name
            aware = None if trained is None else name in trained
            ruling = conversion_ruling(call.target, scheme, masked=_masked(call), trained=aware)
            if call.name in joined and ruling.outcome is Outcome.LEGAL:
                ruling = JOINED
            elif call.name in mixed:
                ruling = MIXED_ATTENTION
            elif call.name in fed_floats:
                ruling = _worse(FED_FLOATS, ruling)
            found[name] = _worse(found[name], ruling) if name in found else ruling
    return found


def _fed_floats(graph: Graph, trained: Collection[str]) -> set[str]:
    """The calls of trained layers with kernels that recurrent ones feed which were not, if by way of others."""
    floats: set[str] = set()
    found: set[str] = set()
    for call in graph.calls.values():
        fed = any(value.name in floats for value in call.inputs())
        if not isinstance(call.target, Layer):
            continue
        kinds = _form(call.target.entry, False).split() if isinstance(call.target.entry, LayerEntry) else []
        left_out = call.target.name not in trained and not _RECURRENT.isdisjoint(kinds)
        if left_out or (fed and call.kind in MOVING):
            floats.update(value.name for value in call.outputs)
        elif fed and call.target.name in trained and kernels_of(call.target):
            found.add(call.name)
    return found


def _mixed_attention(graph: Graph, trained: Collection[str]) -> set[str]:
    """The calls of attention that was not trained for 8 bits, whose query is all that a trained layer feeds."""
    makers = {value.name: call for call in graph.calls.values() for value in call.outputs}
    given = [value.name for call in graph.calls.values() for value in call.inputs()]
    found = set()
    for call in graph.calls.values():
        if call.kind != "MultiHeadAttention" or not isinstance(call.target, Layer) or call.target.name in trained:
            continue
        query = next(value.name for value in call.inputs())
        target = makers[query].target if query in makers else None
        fed = isinstance(target, Layer) and target.name in trained and bool(kernels_of(target))
        if fed and given.count(query) == 1:
            found.add(call.name)
    return found


def _joined_lstms(graph: Graph) -> set[str]:
    """The calls of fused LSTMs whose output reaches a joining of values at the scale that it has.

    TFLite then gives the output the scale of what it is joined with, and the LSTM's own state keeps another: what it
    computes from its state is wrong from the second step on.
    """
    carried: dict[str, set[str]] = {}
    found: set[str] = set()
    for call in graph.calls.values():
        arriving = set().union(*(carried.get(value.name, set()) for value in call.inputs()))
        if call.kind in JOINS and len(list(call.inputs())) > 1:
            found |= arriving
        if isinstance(call.target, Layer) and form_of(call.target, _masked(call)) == "LSTM":
            arriving = {call.name}
        elif call.kind not in KEEPING_SCALES:
            arriving = set()
        for value in call.outputs:
            carried[value.name] = arriving
    return found


def _masked(call: Call) -> bool:
    """Whether what a call is first given carries a mask, or it is given one outright."""
    return "mask" in call.arguments or next((value.masked for value in call.inputs()), False)
