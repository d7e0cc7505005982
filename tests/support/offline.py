"""Shipped blueprints as somebody without a network builds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphbuilder.api import lower

__all__ = ["offline_params"]


def offline_params(path: Path) -> dict[str, Any]:
    """The params with which a blueprint downloads nothing, as its own error tells: `--set weights=null`.

    What the weights are makes no difference to what is tested with random ones; that they are loaded is tested with
    files of weights in `tests/backend/test_pretraining.py`.

    Arguments:
        path: a shipped blueprint.
    """
    found: dict[str, Any] = {}
    for asked in lower(path).pretraining:
        assert asked.switch is not None, f"{path.name} cannot be compiled without a network"
        found[asked.switch] = None
    return found
