"""Numbers to feed a model with."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphbuilder.graph import Graph


def some_input(graph: Graph, samples: int = 2) -> Any:
    """Random numbers of the inputs' shapes, 5 for an unknown axis and small integers for integer inputs.

    In every row of integers the last is 0, as padding is.
    """
    random = np.random.default_rng(0)
    found = {}
    for name, given in graph.inputs.items():
        kind = given.value.type
        assert kind is not None
        shape = (samples, *(size if isinstance(size, int) else 5 for size in kind.shape[1:]))
        if kind.dtype.startswith("int"):
            found[name] = random.integers(1, 8, shape).astype(kind.dtype)
            found[name][..., -1:] = 0
        else:
            found[name] = random.normal(size=shape).astype(kind.dtype)
    return next(iter(found.values())) if graph.inputs_as == "tensor" else found
