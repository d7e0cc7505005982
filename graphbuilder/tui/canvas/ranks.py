"""In which row each box stands: below everything that feeds it."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

__all__ = ["Ranks", "ranks_of"]

Ranks = list[int]


def ranks_of(count: int, edges: Sequence[tuple[int, int]]) -> Ranks:
    """The rank of each node: one more than the largest of those that feed it.

    What nothing feeds stands just above what it feeds first. Edges that close a circle are left out of account; they
    are those that lead back in the order of the nodes.

    Arguments:
        count: how many nodes there are, in the order of the file.
        edges: pairs of the node that gives and the node that takes.

    Example:
        >>> ranks_of(4, [(0, 1), (1, 3), (2, 3)])
        [0, 1, 1, 2]
    """
    following: list[list[int]] = [[] for _ in range(count)]
    missing = [0] * count
    for source, target in edges:
        following[source].append(target)
        missing[target] += 1
    rank = [0] * count
    sources = [not arriving for arriving in missing]
    done = [False] * count
    # The first of the nodes that are ready comes next, so that circles are cut at the node that stands first.
    ready = [node for node in range(count) if not missing[node]]
    first_left = 0
    order: list[int] = []
    while len(order) < count:
        if not ready:
            while done[first_left]:
                first_left += 1
            ready.append(first_left)
        node = heappop(ready)
        if done[node]:
            continue
        done[node] = True
        order.append(node)
        below = rank[node] + 1
        for target in following[node]:
            if done[target]:
                continue
            if rank[target] < below:
                rank[target] = below
            missing[target] -= 1
            if not missing[target]:
                heappush(ready, target)
    for node in range(count):
        if sources[node] and following[node]:
            rank[node] = max(0, min(rank[target] for target in following[node]) - 1)
    return rank
