"""What the installed Kerases have and the catalog does not."""

from __future__ import annotations

import contextlib
import inspect

from graphbuilder.backend.frameworks import framework
from graphbuilder.catalog import layers
from graphbuilder.catalog.tables import REFUSED
from graphbuilder.errors import MissingError

__all__ = ["missing_layers"]


def missing_layers() -> list[tuple[str, str | None]]:
    """The layers of Keras 3, and of tf_keras where it is installed, that the catalog lacks, in the order of names.

    A layer with several names counts as one. Each comes with the reason for which blueprints that use it are refused,
    or None where there is no reason: then the catalog is behind.

    Raises:
        MissingError: Keras is not installed.

    Example:
        >>> dict(missing_layers())["Lambda"].startswith("it holds code")
        True
    """
    homes = [framework(3).keras.layers]
    # What tf_keras has beside Keras 3 is old, and nobody who lacks it can use it.
    with contextlib.suppress(MissingError):
        homes.append(framework(2).keras.layers)
    found: dict[str, str | None] = {}
    for home in homes:
        by_class: dict[type, list[str]] = {}
        for name in dir(home):
            thing = getattr(home, name)
            if inspect.isclass(thing) and issubclass(thing, home.Layer):
                by_class.setdefault(thing, []).append(name)
        for names in by_class.values():
            if not any(name in layers for name in names):
                own = next((name for name in names if name in REFUSED), names[0])
                found[own] = REFUSED.get(own)
    return sorted(found.items())
