"""Random blueprints of small layers, for round trips: shared layers, blocks in blocks, masks, unknown axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

__all__ = ["FEATURES", "features_of", "random_blueprint"]

WIDTH = 4
_VECTORS: list[dict[str, Any]] = [
    {"layer": "Dense", "units": WIDTH, "activation": "tanh"},
    {"layer": "LayerNormalization"},
    {"layer": "BatchNormalization", "center": False},
    {"layer": "Dropout", "rate": 0.5},
    {"layer": "Activation", "activation": {"leaky_relu": {"negative_slope": 0.1}}},
    {"op": "sigmoid"},
    {"op": "clip", "x_min": -1.0, "x_max": 1.0},
    {"op": "flip", "axis": -1},
]
_SEQUENCES: list[dict[str, Any]] = [
    {"layer": "Dense", "units": WIDTH, "use_bias": False},
    {"layer": "Conv1D", "filters": WIDTH, "kernel_size": 3, "padding": "same"},
    {"layer": "LSTM", "units": WIDTH, "return_sequences": True},
    {
        "layer": "Bidirectional",
        "wraps": {"layer": "GRU", "units": WIDTH, "return_sequences": True},
        "merge_mode": "sum",
    },
    {"layer": "TimeDistributed", "wraps": {"layer": "Dense", "units": WIDTH}},
    {"layer": "SpatialDropout1D", "rate": 0.2},
    {"layer": "Masking"},
    {"op": "softmax", "axis": -1},
]
_POOLING: list[dict[str, Any]] = [
    {"layer": "GlobalAveragePooling1D"},
    {"layer": "GlobalMaxPooling1D"},
    {"layer": "GRU", "units": WIDTH, "go_backwards": True},
    {"op": "mean", "axis": 1},
    {"op": "get_item", "key": ":, -1"},
]
_NUMBERS = ("add", "subtract", "multiply", "maximum", "divide")
_MERGING = ("Add", "Subtract", "Multiply", "Average", "Maximum")


@dataclass
class _Drawn:
    """What was drawn so far.

    Arguments:
        random: where it comes from.
        vectors: references to tensors of shape (batch, 4).
        sequences: references to tensors of shape (batch, steps, 4), by the input that their steps come from.
    """

    random: Random
    vectors: list[str] = field(default_factory=list)
    sequences: dict[str, list[str]] = field(default_factory=dict)
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    reusable: list[tuple[str, bool]] = field(default_factory=list)

    def add(self, node: dict[str, Any], stem: str = "n") -> str:
        name = f"{stem}{len(self.nodes)}"
        self.nodes[name] = node
        return name

    def vector(self) -> str:
        return self.random.choice(self.vectors)

    def steps(self) -> tuple[str, str]:
        origin = self.random.choice(list(self.sequences))
        return origin, self.random.choice(self.sequences[origin])


def random_blueprint(seed: int, *, size: int = 10) -> dict[str, Any]:
    """A valid blueprint as plain data; the same for the same seed.

    Arguments:
        seed: of everything random.
        size: about how many nodes it has.
    """
    random = Random(seed)
    drawn = _Drawn(random)
    inputs: dict[str, Any] = {"x": {"shape": [WIDTH]}, "steps": {"shape": [random.choice([None, "time", 3]), WIDTH]}}
    if random.random() < 0.3:
        inputs["more"] = {"shape": [random.choice([None, "time"]), WIDTH]}
    drawn.vectors.append("x")
    drawn.sequences = {name: [name] for name in inputs if name != "x"}
    if random.random() < 0.4:
        inputs["words"] = {"shape": [random.choice([None, 4])], "dtype": "int32"}
        table = {"layer": "Embedding", "from": "words", "input_dim": 5, "output_dim": WIDTH}
        drawn.sequences["words"] = [drawn.add({**table, "mask_zero": random.random() < 0.8})]
    blocks: dict[str, Any] = {}
    for number in range(random.randint(0, 3)):
        blocks[f"block{number}"] = _block(random, blocks)
    for _ in range(size):
        _STEPS[random.choices(range(len(_STEPS)), weights=_WEIGHTS)[0]](drawn, blocks)
    data: dict[str, Any] = {"blueprint": 1, "name": "random", "inputs": inputs}
    if random.random() < 0.5:
        data["inputs_as"] = "list"
    if blocks:
        data["blocks"] = blocks
    ends = [drawn.vectors[-1], *random.sample(drawn.vectors, min(3, len(drawn.vectors)))]
    ends += [drawn.steps()[1] for _ in range(2)]
    ends = [end for end in dict.fromkeys(ends) if end not in inputs] or [drawn.add({"op": "tanh", "from": "x"})]
    outputs: Any = ends
    if len(ends) == 1:
        outputs = ends[0]
    elif random.random() < 0.4:
        outputs = {f"out{number}": end for number, end in enumerate(ends)}
    return {**data, "nodes": drawn.nodes, "outputs": outputs}


def _block(random: Random, blocks: dict[str, Any]) -> dict[str, Any]:
    """A block from one vector to one or two, which may use others."""
    inner = _Drawn(random, vectors=["v"])
    for _ in range(random.randint(1, 3)):
        _vector(inner, {})
    if random.random() < 0.6:
        _inside(inner, blocks)
    first = inner.vectors[-1]
    other = inner.add({"layer": "Add", "from": [first, "v"]})
    return {"inputs": ["v"], "nodes": inner.nodes, "outputs": [first, other] if random.random() < 0.5 else other}


def _vector(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    kind = drawn.random.choice(_VECTORS)
    name = drawn.add({**kind, "from": drawn.vector()})
    if "layer" in kind:
        drawn.reusable.append((name, True))
    drawn.vectors.append(name)


def _sequence(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    origin, given = drawn.steps()
    kind = drawn.random.choice(_SEQUENCES)
    name = drawn.add({**kind, "from": given})
    if "layer" in kind:
        drawn.reusable.append((name, False))
    drawn.sequences[origin].append(name)


def _pooled(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    drawn.vectors.append(drawn.add({**drawn.random.choice(_POOLING), "from": drawn.steps()[1]}))


def _again(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    if not drawn.reusable:
        return
    name, on_vectors = drawn.random.choice(drawn.reusable)
    if on_vectors:
        drawn.vectors.append(drawn.add({"reuse": name, "from": drawn.vector()}))
    else:
        origin, given = drawn.steps()
        drawn.sequences[origin].append(drawn.add({"reuse": name, "from": given}))


def _merged(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    given = [drawn.vector(), drawn.vector()]
    drawn.vectors.append(drawn.add({"layer": drawn.random.choice(_MERGING), "from": given}))


def _joined(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    """Two sequences of one length, with their masks."""
    origin, one = drawn.steps()
    two = drawn.random.choice(drawn.sequences[origin])
    if drawn.random.random() < 0.5:
        drawn.sequences[origin].append(drawn.add({"layer": drawn.random.choice(_MERGING), "from": [one, two]}))
        return
    both = drawn.add({"layer": "Concatenate", "from": [one, two]})
    drawn.sequences[origin].append(drawn.add({"layer": "Dense", "from": both, "units": WIDTH}))


def _number(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    number: Any = drawn.random.choice([2, 0.5, {"constant": [[1.0, 2.0, 3.0, 4.0]]}])
    given = [drawn.vector(), number]
    if number == 2 and drawn.random.random() < 0.5:
        given.reverse()
    drawn.vectors.append(drawn.add({"op": drawn.random.choice(_NUMBERS), "from": given}))


def _states(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    origin, given = drawn.steps()
    kind = {"layer": "LSTM", "units": WIDTH, "return_state": True}
    first = drawn.add({**kind, "from": given})
    origin, given = drawn.steps()
    source = {"sequences": given, "initial_state": [f"{first}.1", f"{first}.2"]}
    second = drawn.add({"layer": "LSTM", "from": source, "units": WIDTH, "return_sequences": True})
    drawn.vectors.append(f"{first}.{drawn.random.randrange(3)}")
    drawn.sequences[origin].append(second)


def _attention(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    origin, query = drawn.steps()
    _, value = drawn.steps()
    scores = drawn.random.random() < 0.3
    node: dict[str, Any] = {"layer": "MultiHeadAttention", "from": [query, value], "num_heads": 2, "key_dim": 3}
    name = drawn.add({**node, "call": {"return_attention_scores": True}} if scores else node)
    drawn.sequences[origin].append(f"{name}.0" if scores else name)


def _parts(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    name = drawn.add({"op": "split", "from": drawn.vector(), "indices_or_sections": [1], "axis": -1})
    drawn.vectors.append(drawn.add({"op": "concatenate", "from": [f"{name}.1", f"{name}.0"], "axis": -1}))


def _inside(drawn: _Drawn, blocks: dict[str, Any]) -> None:
    if not blocks:
        return
    block = drawn.random.choice(list(blocks))
    several = isinstance(blocks[block]["outputs"], list)
    copies = {} if several or drawn.random.random() < 0.5 else {"repeat": drawn.random.randint(2, 3)}
    name = drawn.add({"block": block, "from": drawn.vector(), **copies}, "b")
    ports = [f"{name}.0", f"{name}.1"] if several else [name]
    drawn.vectors += ports
    if drawn.random.random() < 0.5:
        again = drawn.add({"reuse": name, "from": drawn.vector()}, "b")
        drawn.vectors += [port.replace(name, again) for port in ports]


_STEPS = (_vector, _sequence, _pooled, _again, _merged, _joined, _number, _states, _attention, _parts, _inside)
_WEIGHTS = (3, 3, 2, 3, 2, 2, 2, 1, 1, 1, 4)

FEATURES = (
    "unknown axes",
    "named axes",
    "shared layers",
    "several outputs",
    "outputs by name",
    "blocks",
    "blocks in blocks",
    "repeated blocks",
    "shared blocks",
    "masks",
    "states",
    "attention",
    "constants",
)


def features_of(data: dict[str, Any]) -> set[str]:
    """Which of the features a blueprint has, whatever of it feeds no output left out.

    Arguments:
        data: a blueprint of this generator.
    """
    used = _used(data["nodes"], data["outputs"])
    axes = [axis for item in data["inputs"].values() for axis in item["shape"]]
    blocks = data.get("blocks", {})
    inside: list[dict[str, Any]] = []
    waiting = [node["block"] for node in used if "block" in node]
    while waiting:
        nodes = blocks[waiting.pop()]["nodes"].values()
        inside += nodes
        waiting += [node["block"] for node in nodes if "block" in node]
    every = [*used, *inside]
    reused = {node["reuse"] for node in every if "reuse" in node}
    layers = {node.get("layer") for node in every}
    has = {
        "unknown axes": None in axes,
        "named axes": "time" in axes,
        "shared layers": any(not name.startswith("b") for name in reused),
        "several outputs": isinstance(data["outputs"], (list, dict)),
        "outputs by name": isinstance(data["outputs"], dict),
        "blocks": bool(inside),
        "blocks in blocks": any("block" in node for node in inside),
        "repeated blocks": any(node.get("repeat", 1) > 1 for node in every),
        "shared blocks": any(name.startswith("b") for name in reused),
        "masks": "Masking" in layers or any(node.get("mask_zero") for node in every),
        "states": any(isinstance(node["from"], dict) and "initial_state" in node["from"] for node in every),
        "attention": "MultiHeadAttention" in layers,
        "constants": any("constant" in str(node["from"]) for node in every),
    }
    assert tuple(has) == FEATURES
    return {feature for feature, there in has.items() if there}


def _used(nodes: dict[str, dict[str, Any]], outputs: Any) -> list[dict[str, Any]]:
    """The nodes that feed the outputs."""
    found: dict[str, dict[str, Any]] = {}
    waiting = [outputs]
    while waiting:
        item = waiting.pop()
        if isinstance(item, (list, dict)):
            waiting += item.values() if isinstance(item, dict) else item
        elif isinstance(item, str) and (name := item.partition(".")[0]) in nodes and name not in found:
            found[name] = nodes[name]
            waiting += [nodes[name]["from"], nodes[name].get("reuse")]
    return list(found.values())
