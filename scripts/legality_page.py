"""Makes docs/compression-legality.md: what each pass can do to each layer, and which pass may follow which."""

from __future__ import annotations

from collections.abc import Iterator

from graphbuilder.catalog import layers
from graphbuilder.compression.legality_table import COLUMNS, REASONS, TABLE
from graphbuilder.compression.orders import ORDERS

__all__ = ["legality_page"]

_HEAD = """\
# What can be compressed

What each pass can do to each layer. `make slow` runs every cell (`tests/compression/test_legality_runs.py`), but for
`quantize after`, which is converting.

| Sign | Meaning |
|---|---|
| ✓ | tensorflow-model-optimization does it, or TensorFlow Lite's converter |
| + | graphbuilder does it where tensorflow-model-optimization does not, or does only some of the weights |
| · | there is nothing to compress |
| a letter | it cannot be done, for the reason below |

`TimeDistributed` and `Bidirectional` follow the layer that they wrap, but for `low_rank`, which cannot replace what is
wrapped. Custom layers cannot be compressed. A layer's arguments and sizes can forbid more.
"""

_SIGNS = {"L": "✓", "X": "+", ".": "·"}


def legality_page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *_reasons(), "", *_tables(), *_orders(), ""])


def _reasons() -> Iterator[str]:
    yield "| Letter | Reason |"
    yield "|---|---|"
    for letter, reason in REASONS.items():
        yield f"| {letter} | {reason} |"


def _tables() -> Iterator[str]:
    families: dict[str, list[str]] = {}
    for kind in layers.names():
        entry = layers.get(kind)
        assert entry is not None
        if kind in TABLE:
            families.setdefault(entry.family, []).append(kind)
    for family, kinds in families.items():
        yield f"## {family.capitalize()}"
        yield ""
        yield f"| Layer | {' | '.join(COLUMNS)} |"
        yield f"|---|{'---|' * len(COLUMNS)}"
        for kind in kinds:
            signs = [_SIGNS.get(TABLE[kind][column], TABLE[kind][column]) for column in COLUMNS]
            yield f"| {kind} | {' | '.join(signs)} |"
        yield ""


def _orders() -> Iterator[str]:
    yield "## Passes after passes, on the same layer"
    yield ""
    yield "| First | Then | |"
    yield "|---|---|---|"
    for (earlier, later), order in ORDERS.items():
        told = order.keeps if order.allowed else f"**refused**: {order.reason}; {order.hint}"
        yield f"| {earlier} | {later} | {told} |"
