"""Low-rank adaptation: two small matrices that are trained in place of a large one.

Source: Hu et al., 2021, https://arxiv.org/abs/2106.09685
"""

from __future__ import annotations

from pydantic_core import PydanticCustomError

from graphbuilder.catalog.arguments import conflict
from graphbuilder.catalog.entry import Weight
from graphbuilder.catalog.objects import ObjectSpec

__all__ = ["adapted", "lora_conflict"]


def adapted(frozen: Weight, rank: int | None, *between: Weight) -> tuple[Weight, ...]:
    """A layer's weights in Keras's order, with those that adapt one of them where a rank is given.

    Arguments:
        frozen: the weight that is adapted; it is no longer trained then.
        rank: of the two matrices; None or 0 adapts nothing.
        between: the layer's other weights.

    Example:
        >>> [weight.shape for weight in adapted(Weight("kernel", (64, 32)), 4)]
        [(64, 32), (64, 4), (4, 32)]
    """
    if not rank:
        return (frozen, *between)
    return (
        Weight(frozen.name, frozen.shape, trainable=False),
        *between,
        Weight(f"lora_{frozen.name}_a", (*frozen.shape[:-1], rank)),
        Weight(f"lora_{frozen.name}_b", (rank, frozen.shape[-1])),
    )


def lora_conflict(rank: int | None, constraint: ObjectSpec | None, argument: str) -> PydanticCustomError | None:
    """The error of adapting a weight that has a constraint, which Keras cannot hold then; or None.

    Arguments:
        rank: the layer's lora_rank.
        constraint: the constraint on the weight.
        argument: the name of the constraint's argument.
    """
    if not rank or constraint is None:
        return None
    return conflict(
        "lora_rank",
        f"lora_rank is {rank} beside {argument}",
        "one of the two",
        f"remove {argument}: a weight that is the sum of a frozen one and a low-rank product cannot be constrained",
    )
