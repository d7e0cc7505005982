"""One fusion from branches to a merged value: planned, aligned, merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from graphbuilder.catalog import Misfit
from graphbuilder.errors import suggestion
from graphbuilder.fusion.adapters import Adapter
from graphbuilder.fusion.align_option import Stated
from graphbuilder.fusion.alignment import Alignment, Draft, IdsOfWords, Step
from graphbuilder.fusion.branch import Branch, BranchMisfit
from graphbuilder.fusion.calls import Calls
from graphbuilder.fusion.masks import masked_average, with_mask, without_mask
from graphbuilder.fusion.presence import with_presence
from graphbuilder.fusion.strategy import FusionStrategy
from graphbuilder.graph import Adapter as PlacedAdapter
from graphbuilder.graph import FusedBranch, Value

__all__ = ["Plan", "fuse", "offer_of", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to the branches of a fusion, in their order; and which of it the author stated."""

    steps: tuple[tuple[Step, ...], ...]
    stated: tuple[bool, ...]


def plan(strategy: FusionStrategy, branches: Sequence[Branch], align: object = None) -> Plan:
    """What must be done to branches so that a strategy takes them.

    Arguments:
        strategy: the way to merge.
        branches: what is to be merged, as it arrives.
        align: what to use for the strategy's own option `align`; None for that.

    Raises:
        Misfit: they cannot be made to fit, or may not be; its hint offers what would do.
    """
    asked = strategy.align if align is None else align
    none: tuple[Step, ...] = ()
    unknown = next((branch for branch in branches if branch.value.type is None), None)
    if unknown is not None:
        if strategy.takes_unknown and asked in ("auto", "none") and not strategy.modality_dropout:
            return Plan((none,) * len(branches), (False,) * len(branches))
        raise BranchMisfit(
            unknown.name,
            f"the shape of {unknown.name} is not known",
            expected="a shape",
            hint="state it with `gives` where its custom layer stands",
        )
    alone = next((branch for branch in branches if branch.type.rank == 0), None)
    if alone is not None:
        raise BranchMisfit(
            alone.name,
            f"{alone.name} is one number for the whole batch",
            found="()",
            expected="something for each example: (batch, …)",
            hint="leave axis 0, the batch, out of the `axis` of what reduces it; or take an op, such as multiply",
        )
    stated = asked if isinstance(asked, Mapping) else {}
    drafts = [_draft(branch, asked == "none") for branch in branches]
    _check_names(stated, drafts)
    for draft in drafts:
        if draft.name in stated:
            _do_stated(draft, stated[draft.name])
    try:
        strategy.prepare(Alignment(strategy.name(), drafts))
    except IdsOfWords as misfit:
        misfit.hint = _offer_for_ids(strategy, branches, asked, misfit)
        raise
    return Plan(tuple(tuple(draft.steps) for draft in drafts), tuple(draft.name in stated for draft in drafts))


def _draft(branch: Branch, fixed: bool) -> Draft:
    return Draft(
        branch.name,
        branch.type,
        branch.role,
        branch.value.modalities,
        branch.value.masked,
        fixed="align is none" if fixed else None,
    )


def _offer_for_ids(strategy: FusionStrategy, branches: Sequence[Branch], asked: object, misfit: IdsOfWords) -> str:
    """What the author can do about ids of words: an Embedding, or the adapters that quantities would get."""
    quantities = [replace(branch, value=replace(branch.value, modalities=())) for branch in branches]
    try:
        found = plan(strategy, quantities, asked)
    except Misfit:
        return f"{misfit.hint}"
    place = next(place for place, branch in enumerate(branches) if branch.name == misfit.branch)
    done = ", ".join(step.adapter.written for step in found.steps[place])
    written = f"[{done}]" if len(found.steps[place]) > 1 else done
    return f"{misfit.hint}; or take the ids for quantities, with align: {{{misfit.branch}: {written}}}"


def _check_names(stated: Stated, drafts: Sequence[Draft]) -> None:
    names = [draft.name for draft in drafts]
    for name in stated:
        if name not in names:
            raise Misfit(
                f"align speaks of {name}, which is no branch",
                found=name,
                expected=f"one of {', '.join(names)}",
                # The message stands at the whole of `align`, which the name that is meant cannot replace.
                hint=None if (hint := suggestion(name, names)) is None else str(hint),
                code="GB301",
                argument="align",
            )


def _do_stated(draft: Draft, adapters: Sequence[Adapter]) -> None:
    for number, adapter in enumerate(adapters):
        try:
            draft.do(adapter, "it is stated")
        except Misfit as misfit:
            raise BranchMisfit(
                draft.name,
                f"{draft.name}: {misfit.message}",
                place=("align", draft.name, number),
                found=misfit.found,
                expected=misfit.expected,
                hint=misfit.hint,
                code=misfit.code,
                argument="align",
            ) from misfit
    draft.fixed = "as it is stated" if adapters else "and nothing is to be done to it"


def offer_of(strategy: FusionStrategy, branches: Sequence[Branch]) -> str | None:
    """What `align: auto` would do to branches that do not fit, in one clause; None where it can do nothing."""
    try:
        found = plan(strategy, branches, "auto")
    except Misfit:
        return None
    parts = []
    for branch, steps in zip(branches, found.steps, strict=True):
        if steps:
            done = ", ".join(step.adapter.written for step in steps)
            parts.append(f"{branch.name} becomes {steps[-1].gives} by {done}")
    return f"with align: auto {' and '.join(parts)}" if parts else None


def fuse(
    strategy: FusionStrategy, branches: Sequence[Branch], told: Mapping[str, Value], found: Plan, calls: Calls
) -> tuple[Value, tuple[FusedBranch, ...]]:
    """Adds all calls of a fusion.

    Arguments:
        strategy: the way to merge.
        branches: what is merged, as it arrives.
        told: the values that tell which samples have a branch, by its name.
        found: what is done to the branches.
        calls: adds calls.

    Returns:
        The merged value, and what became of each branch.

    Raises:
        NotMade: a call does not fit, which was reported.
    """
    # A text that a sample lacks is all padding, and the average of no step is no number.
    may_lack = set(told) if not strategy.modality_dropout else {branch.name for branch in branches}
    fused = []
    aligned = []
    for branch, steps, stated in zip(branches, found.steps, found.stated, strict=True):
        value, placed = branch.value, []
        names: dict[str, int] = {}
        for step in steps:
            kind = step.adapter.name
            names[kind] = names.get(kind, 0) + 1
            suffix = f"{branch.name}.{kind}" + (f"_{names[kind]}" if names[kind] > 1 else "")
            if kind == "pool" and value.masked and step.takes.rank == 3 and branch.name in may_lack:
                value = masked_average(calls, suffix, value)
            else:
                value = calls.add(suffix, step.adapter.entry(step.takes), value)
            placed.append(PlacedAdapter(value.name, step.adapter.written, step.reason, step.gives))
        fused.append(FusedBranch(branch.name, branch.role, branch.value, value, tuple(placed), stated))
        aligned.append(replace(branch, value=value))
    present = with_presence(aligned, told, strategy.modality_dropout, calls)
    return _merged(strategy, present, calls), tuple(fused)


def _merged(strategy: FusionStrategy, branches: Sequence[Branch], calls: Calls) -> Value:
    """Merges branches, without masks where the strategy does not heed them; what keeps its steps gets one again."""
    unknown = any(branch.value.type is None for branch in branches)
    if unknown or not any(branch.value.masked for branch in branches) or strategy.heeds_masks(branches):
        return strategy.merge(branches, calls)
    kept = strategy.kept_steps(branches, calls)
    plain = [replace(branch, value=without_mask(calls, f"{branch.name}.plain", branch.value)) for branch in branches]
    if kept is None:
        return strategy.merge(plain, calls)
    return with_mask(calls, strategy.merge(plain, calls.followed("unmasked")), kept)
