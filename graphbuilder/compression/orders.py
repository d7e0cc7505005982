"""Which pass may follow which on the same layer, as data: what the later one keeps of the earlier one's work.

Passes on different layers may come in any order but for `quantize`, which is the last of all: training anything on
would undo what it has learned of ranges, and a converted model cannot be trained. `backend.compressing` keeps the zeros
and the shared values of the layers that a pass does not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ORDERS", "Order", "order_of"]


@dataclass(frozen=True, slots=True)
class Order:
    """Whether a pass may follow another on the same layer.

    Arguments:
        keeps: what the later one keeps of the earlier one's work, in one clause; None where it may not follow.
        reason: why it may not, in one clause.
        hint: what to write instead.
    """

    keeps: str | None = None
    reason: str | None = None
    hint: str | None = None

    @property
    def allowed(self) -> bool:
        """Whether it may follow."""
        return self.keeps is not None


_DENSE_FACTORS = Order(
    reason="the two thin layers that take its place are made anew, without the zeros and shared values",
    hint="put low_rank first",
)
_LAST = Order(reason="what training has learned of 8 bits is lost when weights change again", hint="put quantize last")

# By the earlier pass and the later one.
ORDERS: Mapping[tuple[str, str], Order] = {
    ("prune", "prune"): Order("the zeros stay zero, and more are made"),
    ("prune", "cluster"): Order("the zeros stay zero, and zero is one of the shared values"),
    ("prune", "quantize"): Order("the zeros stay zero: the scale of weights is symmetric about it"),
    ("prune", "low_rank"): _DENSE_FACTORS,
    ("cluster", "prune"): Order(
        reason="weights that share a value are equally small, so only whole clusters could become zero",
        hint="put prune before cluster",
    ),
    ("cluster", "cluster"): Order(
        reason="the second takes the place of the first", hint="keep one of the two, or give each its own layers"
    ),
    ("cluster", "quantize"): Order("weights that share a value go on sharing one"),
    ("cluster", "low_rank"): _DENSE_FACTORS,
    ("low_rank", "prune"): Order("the two thin layers are pruned like any others"),
    ("low_rank", "cluster"): Order("the two thin layers are clustered like any others"),
    ("low_rank", "quantize"): Order("the two thin layers are quantized like any others"),
    ("low_rank", "low_rank"): Order(
        reason="it is made of thin factors already", hint="write the smaller rank in one pass"
    ),
    ("quantize", "prune"): _LAST,
    ("quantize", "cluster"): _LAST,
    ("quantize", "low_rank"): _LAST,
    ("quantize", "quantize"): Order(
        reason="a model is quantized once", hint="write one pass, with `where` for what it touches"
    ),
}


def order_of(earlier: str, later: str, *, same_layer: bool = True) -> Order:
    """Whether a pass may follow another.

    Arguments:
        earlier: the name of the pass that comes first.
        later: the name of the pass that comes after it.
        same_layer: whether both touch one layer.
    """
    if same_layer or earlier == "quantize":
        return ORDERS[earlier, later]
    return Order("what it does not touch keeps its zeros and shared values")
