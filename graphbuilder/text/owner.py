"""Which node of a blueprint a place in its text belongs to, so that faults of the text can be told with the node."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["owner"]


def owner(path: Sequence[str | int]) -> str | None:
    """The node or input that a path lies in, `block.node` for one inside a block; None for all else.

    Arguments:
        path: the keys from the document's root.

    Example:
        >>> owner(("nodes", "stem", "filters")), owner(("blocks", "tower", "nodes", "stem")), owner(("training",))
        ('stem', 'tower.stem', None)
    """
    if len(path) >= 2 and path[0] in ("nodes", "inputs"):
        return str(path[1])
    if len(path) >= 4 and path[0] == "blocks" and path[2] in ("nodes", "inputs"):
        return f"{path[1]}.{path[3]}"
    return None
