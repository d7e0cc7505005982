"""The compression passes that a blueprint can declare, as typed options."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from graphbuilder.catalog.arguments import argument, conflict
from graphbuilder.compression.options import Block, PolynomialSchedule, Schedule, Selection, Structure, Where
from graphbuilder.compression.searched import check_ranges

__all__ = ["Cluster", "CompressionPass", "LowRank", "Prune", "Quantize"]

Share = Annotated[float, Field(gt=0, lt=1)]
Epochs = Annotated[int, Field(ge=0)]


class CompressionPass(BaseModel):
    """One step that makes a model smaller."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)

    # Options that `overrides` may set for single nodes.
    per_node: ClassVar[tuple[str, ...]] = ()
    # Options that `search` may name.
    searched: ClassVar[tuple[str, ...]] = ("learning_rate",)
    # Whether it changes weights by training.
    trains: ClassVar[bool] = True

    where: Where = argument(
        "the nodes that it touches: {nodes, layers, except}; left out, all that it can", Selection()
    )
    overrides: dict[str, dict[str, Any]] = argument("options of single nodes, by name or pattern", {})
    epochs: Epochs | None = argument("passes over the data; null means those of `training:`", None)
    learning_rate: Annotated[float, Field(gt=0)] | None = argument(
        "for its training; null means a tenth of the optimizer's", None
    )
    preserve: Literal["auto", "none"] = argument("auto: what earlier passes made is kept; none: it may be lost", "auto")
    search: Any = argument(
        "what --search tries for options: {sparsity: [0.5, 0.95]} is a range, {clusters: [8, 16, 32]} are choices", {}
    )
    about: str | None = argument("what it is, for people", None)

    @field_validator("search", mode="before")
    @classmethod
    def _ranges(cls, value: Any) -> Any:
        return check_ranges(value, cls.searched)

    @model_validator(mode="after")
    def _searches_what_is_declared(self) -> CompressionPass:
        for option in self.search:
            if option != "learning_rate" and getattr(self, option) is None:
                message = f"search varies {option}, which the pass does not have"
                raise conflict(("search", option), message, hint=f"declare {option}, or take it out", on_key=True)
        return self

    @classmethod
    def name(cls) -> str:
        """The name that a blueprint uses."""
        raise NotImplementedError(cls.__name__)

    def label(self) -> str:
        """What it does, in a few words, such as `prune 80 %`."""
        raise NotImplementedError(type(self).__name__)


class Prune(CompressionPass):
    """Sets the smallest weights to zero while the model trains on.

    Source: Zhu and Gupta 2017, To prune, or not to prune, https://arxiv.org/abs/1710.01878
    """

    per_node = ("sparsity", "structure")
    searched = ("sparsity", "learning_rate")

    sparsity: Share | None = argument("the share of weights that become zero; 2:4 always makes half", None)
    schedule: Schedule = argument(
        "constant, polynomial, or {polynomial: {initial, begin, end, power}} in shares of the run", PolynomialSchedule()
    )
    structure: Structure = argument(
        "unstructured, 2:4 (two of four weights), or {block: [rows, columns]}", "unstructured"
    )

    @model_validator(mode="after")
    def _has_a_goal(self) -> Prune:
        if self.structure == "2:4":
            if self.sparsity is not None and self.sparsity != 0.5:
                message = f"sparsity is {self.sparsity} beside structure 2:4"
                raise conflict("sparsity", message, "0.5", "two of four weights are zero; leave sparsity out")
        elif self.sparsity is None:
            raise conflict("sparsity", "sparsity is missing", hint="such as sparsity: 0.8", code="GB202", on_key=True)
        return self

    @classmethod
    def name(cls) -> str:
        return "prune"

    def label(self) -> str:
        if self.structure == "2:4":
            return "prune 2:4"
        blocks = (
            f" in blocks of {self.structure.block[0]} × {self.structure.block[1]}"
            if isinstance(self.structure, Block)
            else ""
        )
        return f"prune {100 * (self.sparsity or 0):g} %{blocks}"


class Cluster(CompressionPass):
    """Gives the weights of each layer a few shared values, which train on.

    Source: Han et al. 2016, Deep compression, https://arxiv.org/abs/1510.00149
    """

    per_node = ("clusters",)
    searched = ("clusters", "learning_rate")

    clusters: Annotated[int, Field(ge=2, le=4096)] = argument("how many values the weights of a layer share")
    initialization: Literal["linear", "random", "density", "kmeans++"] = argument(
        "where the values start; linear: evenly between the least and the largest weight", "kmeans++"
    )
    per_channel: bool = argument("whether each channel of a Conv2D has values of its own", False)

    @classmethod
    def name(cls) -> str:
        return "cluster"

    def label(self) -> str:
        return f"cluster {self.clusters}"


class Quantize(CompressionPass):
    """Computes with fewer bits: aware of it in training, or after training when the model is converted.

    Source: Jacob et al. 2018, Quantization and training of neural networks, https://arxiv.org/abs/1712.05877
    """

    scheme: Literal["int8", "int16x8", "float16", "dynamic"] = argument(
        "int8; int16x8: 16-bit activations; float16; dynamic: 8-bit weights, float activations", "int8"
    )
    aware: bool | None = argument(
        "whether training computes as the converted model will; null means so for int8 alone", None
    )
    samples: Annotated[int, Field(ge=1)] = argument("how many samples tell the ranges of activations", 200)

    @model_validator(mode="after")
    def _aware_of_int8(self) -> Quantize:
        if self.aware and self.scheme != "int8":
            message = f"aware is true beside scheme {self.scheme}"
            raise conflict("aware", message, "scheme int8", "only int8 can be trained for")
        return self

    @property
    def in_training(self) -> bool:
        """Whether training computes as the converted model will."""
        return self.scheme == "int8" if self.aware is None else self.aware

    @classmethod
    def name(cls) -> str:
        return "quantize"

    def label(self) -> str:
        return f"quantize {self.scheme}" + (", aware in training" if self.in_training else "")


class LowRank(CompressionPass):
    """Replaces a layer by two thinner ones, whose product is the best one of that rank.

    The truncated singular value decomposition is the best approximation of a matrix by one of lower rank (Eckart and
    Young 1936, https://doi.org/10.1007/BF02288367); for convolutions as in Zhang et al. 2016,
    https://arxiv.org/abs/1505.06798.
    """

    per_node = ("rank", "energy")
    searched = ("rank", "energy", "learning_rate")

    rank: Annotated[int, Field(ge=1)] | None = argument("the width between the two layers", None)
    energy: Share | None = argument("the share of the squared singular values that is kept", None)

    @model_validator(mode="after")
    def _one_of_two(self) -> LowRank:
        if (self.rank is None) == (self.energy is None):
            found = "rank and energy stand side by side" if self.rank is not None else "rank and energy are missing"
            code = "GB202" if self.rank is None else "GB203"
            raise conflict("rank", found, "one of them", "such as energy: 0.95", code=code, on_key=True)
        return self

    @classmethod
    def name(cls) -> str:
        return "low_rank"

    def label(self) -> str:
        return f"low rank {self.rank}" if self.rank is not None else f"low rank, {100 * (self.energy or 0):g} % energy"
