"""The table of fusions by name."""

from __future__ import annotations

from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.registry import Registry

__all__ = ["strategies"]

strategies: Registry[type[FusionStrategy]] = Registry("fusion", "graphbuilder.fusions")

strategies.add("concat", "graphbuilder.fusion.concat:Concat")
strategies.add("add", "graphbuilder.fusion.elementwise:Add")
strategies.add("mean", "graphbuilder.fusion.elementwise:Mean")
strategies.add("max", "graphbuilder.fusion.elementwise:Max")
strategies.add("multiply", "graphbuilder.fusion.elementwise:Multiply")
