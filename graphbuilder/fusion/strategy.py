"""What a way to merge branches is: options as fields, what it needs of branches, and the calls that merge them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from graphbuilder.catalog import Entry, Port
from graphbuilder.catalog.arguments import argument
from graphbuilder.fusion.align_option import Align
from graphbuilder.fusion.alignment import Alignment
from graphbuilder.fusion.branch import Branch
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.masks import steps_of_any
from graphbuilder.graph import Value

__all__ = ["PRESENCE", "FusionStrategy", "Rate"]

PRESENCE = Port(
    "presence",
    many=True,
    optional=True,
    about="which samples have a branch: a mapping from branch to a tensor (batch,) or (batch, 1) of 1 and 0",
)

# A probability below 1.
Rate = Annotated[float, Field(ge=0, lt=1)]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class FusionStrategy(Entry):
    """A way to merge branches."""

    family: ClassVar[str] = "fusion"
    ports: ClassVar[tuple[Port, ...]] = (Port("inputs", many=True, least=2, about="the branches"), PRESENCE)
    # Whether branches whose shapes are not known can be merged: only where Keras alone decides what fits.
    takes_unknown: ClassVar[bool] = False

    align: Align = argument(
        "how branches that do not fit are made to: auto; none, which refuses them; or adapters by branch",
        "auto",
    )
    modality_dropout: Rate = argument(
        "the probability with which each branch of a sample is left out in training; one is always kept", 0.0
    )

    @classmethod
    def name(cls) -> str:
        """The name that a blueprint uses: the class's, with underscores for capitals."""
        return _WORD_START.sub("_", cls.__name__).lower()

    @classmethod
    def roles(cls) -> tuple[Port, ...]:
        """The ports at which branches stand."""
        return tuple(port for port in cls.ports if port.name != PRESENCE.name)

    def prepare(self, alignment: Alignment) -> None:
        """Says what the branches must be, by planning adapters.

        Raises:
            Misfit: they cannot be made so.
        """

    def heeds_masks(self, branches: Sequence[Branch]) -> bool:
        """Whether `merge` heeds the masks of these branches itself; if not, they are taken off before."""
        return False

    def kept_steps(self, branches: Sequence[Branch], calls: Calls) -> Value | None:
        """Which steps of the merged value count, (batch, steps) of 1 and 0; None where it gets no mask.

        Arguments:
            branches: what is merged, aligned, some of them with masks that `merge` does not heed.
            calls: adds calls.
        """
        return steps_of_any(branches, calls)

    def merge(self, branches: Sequence[Branch], calls: Calls) -> Value:
        """Adds the calls that merge the branches; the last of them has the suffix "".

        Arguments:
            branches: what is merged, aligned.
            calls: adds calls.

        Raises:
            NotMade: a call does not fit, which was reported.
        """
        raise NotImplementedError(type(self).__name__)
