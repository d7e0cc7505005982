"""When Python looks through all objects for garbage: while nobody types, because nothing is drawn meanwhile.

A model's graph is so many objects that looking through them takes longer than a frame may.
"""

from __future__ import annotations

import gc

__all__ = ["QUIET", "Garbage"]

# How long nothing must have been typed, in seconds.
QUIET = 5.0
# How many new objects are looked through, and how many times so many: few enough for a frame. The command line asks for
# more, because its other commands draw nothing.
_YOUNG = (700, 10)
# How many collections of younger objects make one of all worth while; as many as Python would wait for.
_WORTH = 10
# As many make one necessary, typing or not, so that memory stays bounded.
_NECESSARY = 200


class Garbage:
    """Makes Python collect seldom by itself; what was loaded when the editor began is never looked through again."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        self._before = gc.get_threshold()
        gc.set_threshold(*_YOUNG, _NECESSARY)

    def collect(self) -> None:
        """Collects, if there may be something worth it."""
        if gc.get_count()[2] >= _WORTH:
            gc.collect()

    def restore(self) -> None:
        """Lets Python collect as it did before."""
        gc.set_threshold(*self._before)
