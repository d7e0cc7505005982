"""The ways to merge branches, each of which adds ordinary calls to a graph."""

from __future__ import annotations

from graphbuilder.fusion.strategy import Apply, FusionStrategy
from graphbuilder.fusion.tables import strategies

__all__ = ["Apply", "FusionStrategy", "strategies"]
