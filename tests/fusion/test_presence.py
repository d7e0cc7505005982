"""Branches that a sample lacks have no say, whatever is fed for them; and branches are dropped in training as asked."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
import tensorflow as tf

from graphbuilder.api import lower
from graphbuilder.graph import Fusion
from tests.fusion.layers_by_hand import Array
from tests.fusion.models import STRATEGIES, Built, built, document

SAMPLES = 6
SHAPES: dict[str, list[int | None]] = {
    "v1": [6], "v2": [6], "v3": [4], "s1": [4, 6], "s2": [4, 6], "m1": [2, 3, 6], "m2": [2, 3, 6],
}  # fmt: skip
WORDS = {"t1": 4, "t2": 4}
TOLD = (*SHAPES, *WORDS)
INPUTS: dict[str, Any] = {
    **{name: {"shape": shape} for name, shape in SHAPES.items()},
    **{f"{name}_ids": {"shape": [length], "dtype": "int32"} for name, length in WORDS.items()},
    **{f"{name}_there": {"shape": [], "dtype": "bool"} for name in TOLD},
}
TEXTS = {
    name: {"layer": "Embedding", "from": f"{name}_ids", "input_dim": 9, "output_dim": 6, "mask_zero": True}
    for name in WORDS
}
BRANCHES = (
    ("v1", "v2"), ("v1", "v2", "v3"), ("s1", "s2"), ("m1", "m2"), ("t1", "v1"), ("v1", "t1"), ("t1", "t2"),
    ("m1", "t2", "s1", "v3"),
)  # fmt: skip
# Attention is many layers: of it fewer are tried.
FEWER = (("v1", "v2"), ("t1", "v1"), ("m1", "t2", "s1", "v3"))
SEQUENCE = ("cross_attention", "tokens", "bottleneck")


def node(strategy: str, branches: tuple[str, ...], told: bool = True, **more: Any) -> dict[str, Any]:
    """A fusion of branches, of all of which an input tells whether samples have them."""
    source: dict[str, Any] = {"inputs": list(branches)}
    if strategy == "film":
        source = {"features": branches[0], "condition": list(branches[1:])}
    if told:
        source["presence"] = {name: f"{name}_there" for name in branches}
    return {"fuse": strategy, "from": source, **({"heads": 2} if strategy in SEQUENCE else {}), **more}


def fusions(strategy: str) -> dict[str, dict[str, Any]]:
    """Fusions of all branches, and for attention those that look in other directions and give sequences."""
    chosen = FEWER if strategy in SEQUENCE else BRANCHES
    nodes = {f"n{number}": node(strategy, branches) for number, branches in enumerate(chosen)}
    if strategy in SEQUENCE:
        nodes["whole"] = node(strategy, ("t1", "s1"), pool="none")
        nodes["whole_text"] = node(strategy, ("t1", "v1"), pool="none")
    if strategy == "cross_attention":
        nodes["both"] = node(strategy, ("t1", "s1", "v1"), direction="both", layers=2)
        nodes["both_whole"] = node(strategy, ("t1", "s1"), direction="both", pool="none")
        nodes["last"] = node(strategy, ("s1", "v2", "t1"), direction="last")
    return nodes


def numbers(lacking: float = 0.4, seed: int = 0) -> dict[str, Array]:
    """Numbers for all inputs; one sample lacks everything, and one nothing."""
    random = np.random.default_rng(seed)
    found: dict[str, Array] = {}
    for name, shape in SHAPES.items():
        found[name] = random.normal(size=(SAMPLES, *(axis or 5 for axis in shape))).astype("float32")
    for name, length in WORDS.items():
        ids = random.integers(1, 9, (SAMPLES, length))
        kept = np.arange(length) < random.integers(1, length + 1, (SAMPLES, 1))
        found[f"{name}_ids"] = np.where(kept, ids, 0).astype("int32")
    for name in TOLD:
        there = random.random(SAMPLES) >= lacking
        there[0], there[1] = lacking == 0, True
        found[f"{name}_there"] = there
    return found


def garbage(given: dict[str, Array]) -> dict[str, Array]:
    """The same, with other numbers for whatever a sample lacks."""
    random = np.random.default_rng(7)
    found = dict(given)
    for name in TOLD:
        key = f"{name}_ids" if name in WORDS else name
        there = given[f"{name}_there"].reshape(SAMPLES, *(1,) * (given[key].ndim - 1))
        other = random.normal(scale=50, size=given[key].shape)
        if name in WORDS:
            other = random.integers(0, 9, given[key].shape)
        found[key] = np.where(there, given[key], other).astype(given[key].dtype)
    return found


def off(one: Array, other: Array) -> float:
    """The largest difference, as a part of numbers above 1; NaN counts as much."""
    return float(np.nan_to_num(np.abs(one - other) / np.maximum(np.abs(other), 1), nan=np.inf).max())


def with_averages(nodes: dict[str, dict[str, Any]], keras: Literal[2, 3] = 3) -> Built:
    """A model of fusions, and of the averages of those that give sequences, in which masks have their say."""
    merged = lower(document(INPUTS, {**TEXTS, **nodes}, {name: name for name in nodes})).fusions
    sequences = [name for name, fusion in merged.items() if _steps(fusion)]
    means = {f"{name}_pooled": {"layer": "GlobalAveragePooling1D", "from": name} for name in sequences}
    return built(document(INPUTS, {**TEXTS, **nodes, **means}, {name: name for name in (*nodes, *means)}), keras)


def _steps(fusion: Fusion) -> bool:
    return fusion.gives.type is not None and fusion.gives.type.rank == 3


def differing(one: dict[str, Array], other: dict[str, Array], limit: float = 1e-5) -> dict[str, float]:
    """The outputs that differ, and how much; NaN is a difference."""
    found = {name: float(np.max(np.abs(one[name] - other[name]) / np.maximum(np.abs(other[name]), 1))) for name in one}
    return {name: value for name, value in found.items() if not value < limit}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_fed_for_an_absent_branch_makes_no_difference(strategy: str) -> None:
    found = with_averages(fusions(strategy))
    given = numbers()
    one, other = found(given), found(garbage(given))
    if strategy in SEQUENCE:
        # Of a sample that lacks everything a sequence is all padding, whose average is no number.
        for name in set(one) - set(found.graph.fusions):
            one[name], other[name] = one[name][1:], other[name][1:]
    assert differing(one, other) == {}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_all_branches_present_is_the_same_as_no_presence(strategy: str) -> None:
    told = fusions(strategy)
    plain = {f"{name}_plain": {"reuse": name, "from": _untold(written["from"])} for name, written in told.items()}
    found = with_averages({**told, **plain})
    given = numbers(lacking=0)
    # Where just one of two texts is padding, Keras's own merging layers leave it out, and sums do not.
    given["t2_ids"] = np.where(given["t1_ids"] == 0, 0, np.maximum(given["t2_ids"], 1))
    produced = found(given)
    for name, fusion in found.graph.fusions.items():
        if fusion.gives.masked and produced[name].shape[1] == given["t1_ids"].shape[1]:
            produced[name] = produced[name] * (given["t1_ids"] != 0)[:, :, None]
    names = [name for name in produced if "_plain" not in name]
    plainly = {name: produced[name.replace("_pooled", "_plain_pooled") if "_pooled" in name else f"{name}_plain"]
               for name in names}  # fmt: skip
    assert differing({name: produced[name] for name in names}, plainly) == {}


def _untold(source: dict[str, Any]) -> Any:
    branches = {key: value for key, value in source.items() if key != "presence"}
    return branches.get("inputs", branches)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_gradients_are_numbers_where_an_absent_text_is_all_padding(strategy: str) -> None:
    nodes = {name: written for name, written in fusions(strategy).items() if "t" in str(written["from"])}
    found = built(document(INPUTS, {**TEXTS, **nodes}))
    given = numbers()
    for name in WORDS:
        given[f"{name}_ids"] = np.where(given[f"{name}_there"][:, None], given[f"{name}_ids"], 0)
    with tf.GradientTape() as tape:
        produced = found.model({name: given[name] for name in found.graph.inputs})
        loss = tf.add_n([tf.reduce_mean(tf.square(value)) for value in produced.values()])
    variables = found.model.trainable_variables
    gradients = tape.gradient(loss, [getattr(variable, "value", variable) for variable in variables])
    assert np.isfinite(loss)
    wrong = [
        variable.path
        for variable, gradient in zip(variables, gradients, strict=True)
        if gradient is not None and not np.isfinite(tf.convert_to_tensor(gradient)).all()
    ]
    assert wrong == []
