"""The table of compression passes by name."""

from __future__ import annotations

from graphbuilder.compression.passes import CompressionPass
from graphbuilder.registry import Registry

__all__ = ["passes"]

passes: Registry[type[CompressionPass]] = Registry("pass", "graphbuilder.passes")

_HERE = "graphbuilder.compression.passes"

passes.add("prune", f"{_HERE}:Prune")
passes.add("cluster", f"{_HERE}:Cluster")
passes.add("quantize", f"{_HERE}:Quantize")
passes.add("low_rank", f"{_HERE}:LowRank")
