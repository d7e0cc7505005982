"""Names for blocks and what is in them, from what the names of the folded nodes have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import takewhile

from graphbuilder.catalog import layers, ops
from graphbuilder.importers.folding_steps import Step
from graphbuilder.importers.folding_templates import Slot, Stretch
from graphbuilder.lowering.resolved_names import legal_name

__all__ = [
    "block_name",
    "differently_named",
    "free_name",
    "given_name",
    "is_made_up",
    "kind_name",
    "run_name",
    "slot_names",
    "strangers",
    "stretch_name",
]

# How many of the names must have the first word in common, and of those the words after it.
_MOST, _NEARLY_ALL = 0.6, 0.9
_SHORT = {
    "batch_normalization": "bn",
    "depthwise_conv": "depthwise",
    "layer_normalization": "norm",
    "separable_conv": "separable",
}


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """The name, with a number where it is taken."""
    taken = set(taken)
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def kind_name(step: Step) -> str:
    """A short name for what a node is: `Conv2D` is a `conv`.

    Example:
        >>> kind_name(Step("a", ("layer", "BatchNormalization"), {}, None))
        'bn'
    """
    if step.kind[0] == "block":
        return legal_name(step.kind[1].split("_")[0])
    kind = re.sub(r"\dD$", "", step.kind[1].rpartition(":")[2].rpartition(".")[2])
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
    return legal_name(_SHORT.get(snake, snake))


def stretch_name(stretch: Stretch) -> str | None:
    """The words that most names of a stretch begin with, or None where there are none.

    Example:
        `conv2_block1_1_conv`, `conv2_block1_1_bn` and `conv2_block1_add` give `conv2_block1`.
    """
    words = [[] if is_made_up(step.name) else step.name.split("_") for step in stretch.steps]
    found: list[str] = []
    least = max(2.0, len(words) * _MOST)
    while True:
        depth = len(found)
        following = Counter(each[depth] for each in words if len(each) > depth and each[:depth] == found)
        word, count = following.most_common(1)[0] if following else ("", 0)
        if count < least:
            break
        found.append(word)
        least = max(2.0, count * _NEARLY_ALL)
    name = "_".join(found)
    return legal_name(name) if re.search(r"[A-Za-z]", name) else None


def differently_named(one: Step, two: Step) -> bool:
    """Whether people gave two nodes names that begin with different words."""
    if is_made_up(one.name) or is_made_up(two.name):
        return False
    return one.name.split("_")[0] != two.name.split("_")[0]


def strangers(stretch: Stretch) -> int:
    """How many nodes people gave a name that does not begin as those of most nodes of the stretch do."""
    name = stretch_name(stretch)
    if name is None:
        named = [step for step in stretch.steps if not is_made_up(step.name)]
        return len(named) - 1 if len(named) == len(stretch.steps) else 0
    first = name.split("_")[0]
    return sum(step.name.split("_")[0] != first and not is_made_up(step.name) for step in stretch.steps)


def given_name(stretch: Stretch) -> str | None:
    """The name of the last node that people gave one, or None."""
    return next((step.name for step in reversed(stretch.steps) if not is_made_up(step.name)), None)


def run_name(names: Sequence[str]) -> str:
    """A name for several copies in a row, from the names that each would have.

    Example:
        >>> run_name(["block2b", "block2c"]), run_name(["conv2_block2", "conv2_block3"])
        ('block2b_to_2c', 'conv2_blocks')
        >>> run_name(["block_4", "block_5"]), run_name(["layer_0", "layer_1"])
        ('block_4_to_5', 'layer')
    """
    if len(names) == 1:
        return names[0]
    counted = names[0].removesuffix("_0")
    if counted and list(names) == [f"{counted}_{number}" for number in range(len(names))]:
        # The copies of a node are numbered from 0, so theirs are these very names.
        return counted
    alike = takewhile(lambda characters: len(set(characters)) == 1, zip(*names, strict=False))
    common = "".join(characters[0] for characters in alike)
    after = names[0][len(common) :]
    stem = common.rstrip("0123456789").rstrip("_-")
    if not re.search(r"\d", stem):
        last = re.search(r"\d+[a-z]?$", names[-1])
        return f"{names[0]}_to_{last[0]}" if last and re.search(r"\d[a-z]?$", names[0]) else names[0]
    return f"{stem}s" if stem[-1].isalpha() and re.match(r"_?\d", after or names[0][len(stem) :]) else stem


def block_name(stretches: Sequence[Stretch], slots: Sequence[Slot]) -> str:
    """A name for a block, from the names of the stretches that it stands for.

    Example:
        Stretches called `conv2_block1` and `conv3_block4` are copies of a `block`.
    """
    counted: Counter[str] = Counter()
    for stretch in stretches:
        name = stretch_name(stretch) or given_name(stretch) or ""
        words = [re.split(r"\d", word)[0] for word in name.split("_")]
        counted.update([word for word in words if len(word) > 2][-1:])
    if counted:
        word, count = counted.most_common(1)[0]
        if count * 2 >= len(stretches):
            return legal_name(word)
    steps = [next(member for member in slot.members if member is not None) for slot in slots]
    return "_".join(map(kind_name, steps)) if len(steps) <= 3 else "block"


def slot_names(slots: Sequence[Slot], stretches: Sequence[Stretch], taken: Iterable[str]) -> list[str]:
    """A name for each node of a block, from what is left of the nodes' names without those of their stretches."""
    prefixes = [stretch_name(stretch) or "" for stretch in stretches]
    used = list(taken)
    names = []
    for slot in slots:
        left = Counter(
            _rest(member.name, prefix)
            for member, prefix in zip(slot.members, prefixes, strict=True)
            if member is not None
        )
        first = next(member for member in slot.members if member is not None)
        word, count = left.most_common(1)[0]
        # What hardly two of them have in common was made up by Keras.
        agreed = count * 2 >= left.total() or left.total() == 1
        made_up = not agreed or not re.search(r"[A-Za-z]", word) or is_made_up(first.name)
        name = free_name(kind_name(first) if made_up else legal_name(word), used)
        used.append(name)
        names.append(name)
    return names


def _rest(name: str, prefix: str) -> str:
    """A node's own part of its name; numbers in front go behind, because no name begins with one."""
    words = name.removeprefix(prefix).strip("_-").split("_")
    while words and words[0].isdigit() and any(not word.isdigit() for word in words):
        words.append(words.pop(0))
    return "_".join(words)


@cache
def _made_up_stems() -> frozenset[str]:
    """What Keras calls layers and ops that were given no name, without the numbers."""
    found = set()
    for name in (*layers.names(), *ops.names()):
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])", "_", name).lower()
        found |= {snake, snake.replace("_", ""), name.lower()}
    return frozenset(found)


@lru_cache(maxsize=4096)
def is_made_up(name: str) -> bool:
    """Whether a name says no more than Keras's own for a layer that was given none, such as `conv2d_12`."""
    return not name or re.sub(r"(_\d+)*$", "", name).lower() in _made_up_stems()
