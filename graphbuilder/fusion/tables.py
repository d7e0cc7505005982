"""The table of fusions by name."""

from __future__ import annotations

from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.registry import Registry

__all__ = ["strategies"]

strategies: Registry[type[FusionStrategy]] = Registry("fusion", "graphbuilder.fusions")

_HERE = "graphbuilder.fusion"

strategies.add("concat", f"{_HERE}.concat:Concat")
strategies.add("add", f"{_HERE}.add:Add")
strategies.add("mean", f"{_HERE}.mean:Mean")
strategies.add("max", f"{_HERE}.max:Max")
strategies.add("multiply", f"{_HERE}.multiply:Multiply")
strategies.add("weighted", f"{_HERE}.weighted:Weighted")
strategies.add("gated", f"{_HERE}.gated:Gated")
strategies.add("film", f"{_HERE}.film:Film")
strategies.add("bilinear", f"{_HERE}.bilinear:Bilinear")
strategies.add("tensor", f"{_HERE}.tensor:Tensor")
strategies.add("low_rank_tensor", f"{_HERE}.low_rank_tensor:LowRankTensor")
strategies.add("cross_attention", f"{_HERE}.cross_attention:CrossAttention")
strategies.add("tokens", f"{_HERE}.tokens:Tokens")
strategies.add("bottleneck", f"{_HERE}.bottleneck:Bottleneck")
strategies.add("mixture", f"{_HERE}.mixture:Mixture")
