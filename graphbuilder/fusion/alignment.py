"""Brings branches into shapes that a fusion takes: what is put between, and why.

A fusion states what it needs by calling the methods of `Alignment` on branches; nothing is added to a graph here, so
that plans can be compared before one is carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import isqrt

from graphbuilder.catalog import Inputs, Misfit, TensorType
from graphbuilder.catalog.tensor import elements, is_float
from graphbuilder.fusion.adapters import MOST_TOKENS, Adapter
from graphbuilder.fusion.branch import BranchMisfit

__all__ = ["Alignment", "Draft", "IdsOfWords", "Step"]

# Steps of a sequence that attention takes as they are.
MOST_STEPS = 1024

# Features that a step may get when the other axes of a spectrogram become its features.
MOST_FEATURES = 8192


@dataclass(frozen=True, slots=True)
class Step:
    """One adapter in its place.

    Arguments:
        adapter: what is done.
        reason: why, in one clause.
        takes: what it is given.
        gives: what comes of it.
    """

    adapter: Adapter
    reason: str
    takes: TensorType
    gives: TensorType


@dataclass(slots=True)
class Draft:
    """A branch while it is planned what is done to it.

    Arguments:
        name: what the fusion calls it.
        type: what has become of it so far.
        role: the port that it stands at, or None.
        modalities: those of the inputs that it was computed from.
        masked: whether it carries a mask.
        steps: what is done to it, in order.
        fixed: why nothing more may be done to it, or None.
    """

    name: str
    type: TensorType
    role: str | None = None
    modalities: tuple[str, ...] = ()
    masked: bool = False
    steps: list[Step] = field(default_factory=list)
    fixed: str | None = None

    @property
    def modality(self) -> str | None:
        """Its modality, where it has just one."""
        return self.modalities[0] if len(self.modalities) == 1 else None

    @property
    def positions(self) -> tuple[int | str | None, ...]:
        """The axes between batch and features."""
        return self.type.shape[1:-1]

    @property
    def width(self) -> int | str | None:
        """The size of the last axis."""
        return self.type.shape[-1]

    def do(self, adapter: Adapter, need: str, effect: str | None = None) -> None:
        """Adds one adapter.

        Arguments:
            adapter: what is done.
            need: what the fusion needs that the branch has not.
            effect: what the adapter does about it, where the need alone does not tell.

        Raises:
            Misfit: the branch is fixed, or the adapter cannot be used on it.
        """
        if self.fixed is not None:
            message = f"{self.name} is {self.type}, {self.fixed}, and {need}"
            raise Misfit(message, found=str(self.type), argument="align")
        reason = need if effect is None else f"{need}: {effect}"
        entry = adapter.entry(self.type)
        gives = entry.outputs(Inputs({entry.ports[0].name: self.type}))
        assert isinstance(gives, TensorType)
        self.steps.append(Step(adapter, reason, self.type, gives))
        self.type = gives


class IdsOfWords(BranchMisfit):
    """A branch whose numbers say which words stand there, and not how much of anything.

    Arguments:
        draft: the branch.
    """

    def __init__(self, draft: Draft) -> None:
        super().__init__(
            draft.name,
            f"{draft.name} holds ids of words, {draft.type}",
            found=draft.type.dtype,
            expected="vectors",
            hint="put an Embedding between",
            code="GB305",
        )


class Alignment:
    """The branches of one fusion while it is planned what is done to them.

    Arguments:
        fusion: the fusion's name, for reasons.
        drafts: the branches; they are changed.
    """

    def __init__(self, fusion: str, drafts: Sequence[Draft]) -> None:
        self.fusion = fusion
        self.drafts = list(drafts)

    def of(self, *roles: str) -> Alignment:
        """The same for the branches at some ports only."""
        return Alignment(self.fusion, [draft for draft in self.drafts if draft.role in roles])

    def features(self) -> Alignment:
        """Makes every branch floating numbers with a last axis of known size.

        Raises:
            Misfit: a branch holds strings, or ids of words.
        """
        for draft in self.drafts:
            self._numbers(draft)
            if draft.type.rank < 2:
                draft.do(Adapter("expand"), f"{self.fusion} takes vectors", "each number becomes one")
            elif not isinstance(draft.width, int):
                draft.do(
                    Adapter("expand"),
                    f"{self.fusion} takes features of known size",
                    "each number becomes a position of its own",
                )
        return self

    def one_kind_of_numbers(self) -> Alignment:
        """Makes numbers of different kinds floating ones, which tf_keras does not do by itself.

        Raises:
            Misfit: a branch holds strings, or ids of words beside floating numbers.
        """
        if len({"float" if is_float(draft.type.dtype) else draft.type.dtype for draft in self.drafts}) > 1:
            for draft in self.drafts:
                self._numbers(draft)
        return self

    def _numbers(self, draft: Draft) -> None:
        dtype = draft.type.dtype
        if is_float(dtype):
            return
        if dtype == "string":
            raise BranchMisfit(
                draft.name,
                f"{draft.name} holds strings",
                found="string",
                expected="numbers",
                hint="look the strings up before they reach the model, and give the input dtype: int32",
                code="GB305",
            )
        if dtype.startswith("complex"):
            raise BranchMisfit(
                draft.name,
                f"{draft.name} holds complex numbers",
                found=dtype,
                expected="real numbers",
                hint="take the parts or the size first, with {op: abs}",
                code="GB305",
            )
        if draft.modality == "text" and "int" in dtype and draft.type.rank <= 2 and draft.fixed is None:
            raise IdsOfWords(draft)
        draft.do(Adapter("cast"), f"{self.fusion} computes with floating numbers")

    def vectors(self) -> Alignment:
        """Makes every branch (batch, features)."""
        for draft in self.drafts:
            self._vector(draft, f"{self.fusion} takes vectors")
        return self

    def _vector(self, draft: Draft, why: str) -> None:
        if draft.type.rank < 2:
            draft.do(Adapter("expand"), why, "each number becomes one")
        elif draft.type.rank >= 3:
            self._pool(draft, why)

    def _pool(self, draft: Draft, why: str) -> None:
        """One vector of all positions; a spectrogram keeps its frequencies apart, because they say what sounds."""
        features = elements(draft.type.shape[2:])
        if not is_float(draft.type.dtype):
            self._numbers(draft)
        if draft.type.rank == 4 and draft.modality == "audio" and features is not None and features <= MOST_FEATURES:
            draft.do(Adapter("steps"), why, "the frequencies of a sound are features, which an average would lose")
            draft.do(Adapter("pool"), why, "its moments are averaged")
            return
        draft.do(Adapter("pool"), why, _averaged(draft))

    def sequences(self) -> Alignment:
        """Makes every branch (batch, steps, features) with no more steps than attention can take."""
        for draft in self.drafts:
            self._sequence(draft, f"{self.fusion} takes sequences")
        return self

    def _sequence(self, draft: Draft, why: str) -> None:
        rank = draft.type.rank
        if rank == 2:
            draft.do(Adapter("token"), why, "the vector becomes one step")
            return
        features = elements(draft.type.shape[2:])
        time_first = rank >= 5 or (rank == 4 and draft.modality == "audio")
        if rank >= 5 and draft.modality in ("video", None):
            draft.do(Adapter("frames"), why, "each frame becomes one step")
        elif rank >= 4 and time_first and draft.modality == "audio" and features is not None:
            draft.do(Adapter("steps"), why, "each moment becomes one step, its frequencies are features")
        elif rank >= 4:
            self._tokens(draft, why)
        steps = draft.type.shape[1]
        if isinstance(steps, int) and steps > MOST_STEPS and not draft.masked:
            draft.do(
                Adapter("shrink", MOST_STEPS),
                f"attention over {steps:,} steps would cost {steps:,} × {steps:,} scores",
                "neighbours are averaged",
            )

    def _tokens(self, draft: Draft, why: str) -> None:
        places = elements(draft.positions)
        most = isqrt(MOST_TOKENS) if len(draft.positions) == 2 else round(MOST_TOKENS ** (1 / len(draft.positions)))
        # What may not be changed is refused for what it is, and not for what it would cost.
        large = places is not None and places > MOST_TOKENS and len(draft.positions) <= 3
        if large and draft.fixed is None:
            draft.do(
                Adapter("shrink", most),
                f"attention over {places:,} positions would cost {places:,} × {places:,} scores",
                "neighbours are averaged",
            )
        draft.do(Adapter("tokens"), why, "each position becomes one step")

    def same_positions(self) -> Alignment:
        """Makes all axes between batch and features agree: maps are resized, what has no common positions is pooled."""
        if self.agree():
            return self
        if any(draft.type.rank < 2 for draft in self.drafts):
            return self.vectors()
        fixed = [draft for draft in self.drafts if draft.fixed is not None]
        target = (fixed or self.drafts)[0]
        maps = all(draft.type.rank == 4 for draft in self.drafts) and self._one_kind()
        size = tuple(axis for axis in target.positions if isinstance(axis, int))
        if maps and len(size) == 2:
            for draft in self.drafts:
                if draft.positions != target.positions:
                    reason = f"its positions must be those of {target.name}, {size[0]} × {size[1]}"
                    draft.do(Adapter("resize", size), reason)
            return self
        why = "the branches have no positions in common"
        for draft in self.drafts:
            self._vector(draft, why)
        return self

    def _one_kind(self) -> bool:
        """Whether no two branches are known to be of different modalities."""
        return len({draft.modalities for draft in self.drafts if draft.modalities}) <= 1

    def agree(self) -> bool:
        """Whether all axes between batch and features are equal, as far as is known."""
        # Each with each, because what is unknown may be equal to two that differ.
        return all(draft.type.rank >= 2 for draft in self.drafts) and all(
            len(one.positions) == len(other.positions) and all(map(self._same_axis, one.positions, other.positions))
            for one, other in combinations(self.drafts, 2)
        )

    def _same_axis(self, one: int | str | None, other: int | str | None) -> bool:
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        if one is None or other is None or isinstance(one, int) or isinstance(other, int):
            # What is not known to differ may be equal; what stems from two senses hardly is.
            return self._one_kind()
        return one == other

    def same_width(self) -> Alignment:
        """Makes the last axes equal, with as few projections as can be; the widest where that is a tie."""
        counts = Counter(draft.width for draft in self.drafts if isinstance(draft.width, int))
        fixed = [draft.width for draft in self.drafts if draft.fixed is not None and isinstance(draft.width, int)]
        if not counts:
            return self
        width = fixed[0] if fixed else max(counts, key=lambda size: (counts[size], size))
        model = next(draft.name for draft in self.drafts if draft.width == width)
        return self.width(width, f"{self.fusion} takes branches of one width, {width} as {model} has")

    def width(self, units: int, why: str) -> Alignment:
        """Projects every branch that has another width."""
        for draft in self.drafts:
            if draft.width != units:
                draft.do(Adapter("project", units), why)
        return self

    def at_most(self, units: int, why: str) -> Alignment:
        """Projects every branch that is wider."""
        for draft in self.drafts:
            if isinstance(draft.width, int) and draft.width > units:
                draft.do(Adapter("project", units), why)
        return self

    def unless(self, fits: Callable[[Sequence[TensorType]], bool]) -> bool:
        """Whether the branches must be changed: they do not fit as they are."""
        return not fits([draft.type for draft in self.drafts])


def _averaged(draft: Draft) -> str:
    rank = draft.type.rank
    sizes = draft.positions
    if rank == 3:
        return f"its {sizes[0]} steps are averaged" if isinstance(sizes[0], int) else "its steps are averaged"
    if all(isinstance(size, int) for size in sizes):
        return f"its {' × '.join(map(str, sizes))} positions are averaged"
    return "its positions are averaged"
