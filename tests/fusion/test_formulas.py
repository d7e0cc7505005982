"""Every fusion computes what its docstring says, in both Kerases, also where samples lack branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pytest

from graphbuilder.api import lower
from graphbuilder.blueprint import Document
from graphbuilder.fusion import strategies
from tests.fusion.formulas import FORMULAS, Given, counting_steps, merged
from tests.fusion.layers_by_hand import Array, Weights, masked_mean
from tests.fusion.models import STRATEGIES, Built, built, document

# As many as some axes have places, because Keras takes a column of such a batch for a bias here and there.
SAMPLES = 6
INPUTS: dict[str, Any] = {
    **{f"v{number}": {"shape": [width]} for number, width in enumerate((6, 5, 4, 6), 1)},
    **{f"s{number}": {"shape": [4, width]} for number, width in enumerate((6, 5, 6), 1)},
    **{f"m{number}": {"shape": [2, 3, width]} for number, width in enumerate((4, 2, 4), 1)},
    "long": {"shape": [5, 6]},
    "free": {"shape": [None, 3]},
    **{f"words_{number}": {"shape": [4], "dtype": "int32"} for number in (1, 2)},
    "free_words": {"shape": [None], "dtype": "int32"},
    "p1": {"shape": [], "dtype": "bool"},
    "p2": {"shape": [1]},
    "p3": {"shape": [], "dtype": "int32"},
    "p4": {"shape": []},
}
TEXTS = {"t1": ("words_1", 6), "t2": ("words_2", 5), "t3": ("free_words", 6)}

# Branches, and which of the inputs p1, p2, … tell of the presence of which.
BRANCHES: dict[str, tuple[str, str]] = {
    "two_vectors": ("v1 v2", ""),
    "three_vectors": ("v1 v2 v3", ""),
    "four_vectors": ("v1 v2 v3 v4", ""),
    "two_sequences": ("s1 s2", ""),
    "three_sequences": ("s1 s2 s3", ""),
    "two_maps": ("m1 m2", ""),
    "three_maps": ("m1 m3 m2", ""),
    "vector_and_sequence": ("v1 s1", ""),
    "map_sequence_vector": ("m1 long v2", ""),
    "text_and_vector": ("t1 v1", ""),
    "vector_and_free_text": ("v2 t3", ""),
    "two_texts": ("t1 t2", ""),
    "four_kinds": ("t3 m1 free v2", ""),
    "one_told": ("v1 v2", "p1"),
    "both_told": ("v1 v4", "p1 p2"),
    "other_told": ("v1 v2 v3", "- p3"),
    "all_told": ("v1 v2 v3 v4", "p1 p2 p3 p4"),
    "sequence_told": ("s1 s2", "p1"),
    "sequences_told": ("s1 s2 s3", "p1 p2 p4"),
    "maps_told": ("m1 m2", "p2 p4"),
    "text_told": ("t1 v1", "p1"),
    "text_and_vector_told": ("v1 t3", "p1 p3"),
    "texts_told": ("t1 t2", "p1 p2"),
    "kinds_told": ("m1 t3 long", "p4 p1"),
}
LEARNED = {"units": 4}
ATTENTION = {"heads": 2, "units": 4}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "gated": [LEARNED],
    "bilinear": [{"units": 3, "rank": 6, "activation": "relu"}],
    "low_rank_tensor": [{"units": 2, "rank": 3}],
    "mixture": [{"units": 4, "experts": 3}],
    "cross_attention": [
        {**ATTENTION, "direction": "last", "layers": 2},
        {**ATTENTION, "direction": "both", "layers": 2, "positions": False, "feedforward": 5},
        {**ATTENTION, "direction": "both", "pool": "none"},
        {**ATTENTION, "pool": "none"},
    ],
    "tokens": [{**ATTENTION, "layers": 2, "feedforward": 3, "positions": False}, {**ATTENTION, "pool": "none"}],
    "bottleneck": [{**ATTENTION, "bottlenecks": 1, "layers": 3}, {**ATTENTION, "layers": 1, "pool": "none"}],
}
# Options change what is done, not what arrives: these arrivals show each at work.
TRIED_WITH_OPTIONS = ("three_vectors", "all_told", "sequences_told", "text_told", "kinds_told", "four_kinds")
# Attention is many layers: a run tries it on these, and the slow tests on all.
SHORT = ("three_vectors", "two_maps", "four_kinds", "all_told", "texts_told", "kinds_told")
# The twin is built from the same calls; it shows that tf_keras computes them alike.
IN_THE_TWIN = ("two_vectors", "two_maps", "text_and_vector", "texts_told", "kinds_told")


def default_options(strategy: str) -> dict[str, Any]:
    """The attention of three features cannot have four heads of a width worth its name."""
    return {"heads": 2} if strategy in ("cross_attention", "tokens", "bottleneck") else {}


def chosen_cases(strategy: str, keras: int) -> list[tuple[str, dict[str, Any]]]:
    """Arrivals and options."""
    attention = bool(default_options(strategy))
    if keras == 2:
        return [(name, default_options(strategy)) for name in (IN_THE_TWIN[1::2] if attention else IN_THE_TWIN)]
    plain, tried = (SHORT, ("all_told", "text_told")) if attention else (tuple(BRANCHES), TRIED_WITH_OPTIONS)
    chosen = [(name, default_options(strategy)) for name in plain]
    return chosen + [(name, options) for options in OPTIONS.get(strategy, []) for name in tried]


def all_cases(strategy: str) -> list[tuple[str, dict[str, Any]]]:
    """Every arrival with every choice of options."""
    return [(name, options) for options in (default_options(strategy), *OPTIONS.get(strategy, [])) for name in BRANCHES]


def fuse_nodes(strategy: str, chosen: Sequence[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """One node for each arrival and choice of options."""
    nodes: dict[str, Any] = {}
    for name, options in chosen:
        branches, told = (written.split() for written in BRANCHES[name])
        presence = {branch: tells for branch, tells in zip(branches, told, strict=False) if tells != "-"}
        source: Any = branches
        if strategy == "film":
            source = {"features": branches[0], "condition": branches[1:]}
        elif presence:
            source = {"inputs": branches}
        if presence:
            source = {**source, "presence": presence}
        nodes[f"{name}_{len(nodes)}"] = {"fuse": strategy, "from": source, **options}
    return nodes


def texts() -> dict[str, Any]:
    """The text branches, of which a zero is padding."""
    return {
        name: {"layer": "Embedding", "from": words, "input_dim": 9, "output_dim": width, "mask_zero": True}
        for name, (words, width) in TEXTS.items()
    }


def numbers(seed: int = 0) -> dict[str, Array]:
    """Numbers for all inputs; one sample lacks whatever it can lack."""
    random = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for name, kind in INPUTS.items():
        shape = (SAMPLES, *(7 if axis is None else axis for axis in kind["shape"]))
        found[name] = random.normal(size=shape).astype("float32")
        if "words" in name:
            ids = random.integers(1, 9, shape)
            lengths = random.integers(1, shape[1] + 1, SAMPLES)
            found[name] = np.where(np.arange(shape[1]) < lengths[:, None], ids, 0).astype("int32")
    for name, there in {"p1": "101010", "p2": "110011", "p3": "111010", "p4": "010011"}.items():
        column = np.array([int(one) for one in there]).astype(INPUTS[name].get("dtype", "float32"))
        found[name] = column.reshape(SAMPLES, *INPUTS[name]["shape"])
    return found


def arriving(given: Mapping[str, Array], weights: Mapping[str, Mapping[str, Any]], name: str) -> Given:
    """A branch as it arrives at the fusion: an input, or an embedded one."""
    if name not in TEXTS:
        return Given(name, given[name].astype("float64"))
    words = given[TEXTS[name][0]]
    return Given(name, weights[name]["embeddings"].numpy().astype("float64")[words], words != 0)


def expected_of(
    found: Built, strategy: str, node: str, written: Mapping[str, Any], given: Mapping[str, Array]
) -> tuple[Array, Array | None]:
    """What a node must give, by its formula, and which of its steps count."""
    source = written["from"]
    names, presence = (source, {}) if isinstance(source, list) else (source.get("inputs"), source.get("presence", {}))
    names = names or [source["features"], *source["condition"]]
    branches = []
    for name in names:
        branch = arriving(given, found.weights, name)
        there = given[presence[name]].reshape(-1) if name in presence else None
        branches.append(Given(branch.name, branch.values, branch.kept, there))
    options = {key: value for key, value in written.items() if key not in ("fuse", "from")}
    expected = merged(strategy, branches, Weights(node, found.weights), options)
    return expected, counting_steps(strategy, branches, expected)


def pooling(nodes: Mapping[str, Any], blueprint: Document) -> dict[str, Any]:
    """The average over the steps of every fusion that gives a sequence: padding must have no part in it."""
    fusions = lower(blueprint).fusions
    sequences = [name for name in nodes if nodes[name].get("pool") != "none" and fusions[name].gives.type.rank == 3]  # type: ignore[union-attr]
    return {f"{name}_pooled": {"layer": "GlobalAveragePooling1D", "from": name} for name in sequences}


def difference(produced: Array, expected: Array, counted: Array | None = None) -> float:
    """The largest difference, as a part of numbers above 1, over the steps that count."""
    found = np.abs(produced - expected) / np.maximum(np.abs(expected), 1)
    return float(np.max(found if counted is None else found[counted.astype(bool)]))


def test_every_strategy_is_tried() -> None:
    assert set(strategies) == set(STRATEGIES) == set(FORMULAS)


@pytest.mark.parametrize("keras", [3, 2])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_fusion_computes_its_formula(strategy: str, keras: Literal[2, 3]) -> None:
    assert wrong_numbers(strategy, fuse_nodes(strategy, chosen_cases(strategy, keras)), keras) == []


@pytest.mark.slow
@pytest.mark.parametrize("keras", [3, 2])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_fusion_computes_its_formula_in_every_case(strategy: str, keras: Literal[2, 3]) -> None:
    cases = all_cases(strategy)
    if keras == 2:
        # Of two texts of which only one is padding at a step, tf_keras's own merging layers mask the step.
        cases = [(name, options) for name, options in cases if name != "two_texts"]
    assert wrong_numbers(strategy, fuse_nodes(strategy, cases), keras) == []


def wrong_numbers(strategy: str, nodes: dict[str, Any], keras: Literal[2, 3]) -> list[str]:
    """Where fusions, or the averages of the sequences that they give, are not what their formula says."""
    means = pooling(nodes, document(INPUTS, {**texts(), **nodes}))
    blueprint = document(INPUTS, {**texts(), **nodes, **means}, {name: name for name in (*nodes, *means)})
    found = built(blueprint, keras)
    given = numbers()
    produced = found(given)
    wrong = []
    for node, written in nodes.items():
        expected, counted = expected_of(found, strategy, node, written, given)
        if produced[node].shape != expected.shape:
            wrong.append(f"{node} {written}: {produced[node].shape} where the formula gives {expected.shape}")
            continue
        if not (off := difference(produced[node], expected, counted)) < 1e-5:
            wrong.append(f"{node} {written}: differs by {off:.2g}")
        if f"{node}_pooled" in produced:
            average = masked_mean(expected, counted)
            if not (off := difference(produced[f"{node}_pooled"], average)) < 1e-5:
                wrong.append(f"{node} {written}: its average differs by {off:.2g}")
    return wrong


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_padding_and_other_padding_change_nothing(strategy: str) -> None:
    chosen = [(name, default_options(strategy)) for name in ("vector_and_free_text", "text_and_vector_told")]
    nodes = fuse_nodes(strategy, chosen)
    means = pooling(nodes, document(INPUTS, {**texts(), **nodes}))
    # Where a text and a vector are merged step by step, the result has as many steps; their average tells.
    outputs = [name for name in nodes if f"{name}_pooled" not in means] + list(means)
    found = built(document(INPUTS, {**texts(), **nodes, **means}, {name: name for name in outputs}))
    given = numbers()
    produced = found(given)
    table = found.weights["t3"]["embeddings"]
    table.assign(np.concatenate([np.full((1, table.shape[1]), 100.0), table.numpy()[1:]]))
    given["free_words"] = np.pad(given["free_words"], [(0, 0), (0, 3)])
    again = found(given)
    assert {name: off for name in outputs if not (off := difference(again[name], produced[name])) < 1e-5} == {}
