"""The one walk from a document to a graph."""

from __future__ import annotations

from graphbuilder.lowering.limits import GraphLimits
from graphbuilder.lowering.lower import Lowered, lower, try_lower

__all__ = ["GraphLimits", "Lowered", "lower", "try_lower"]
