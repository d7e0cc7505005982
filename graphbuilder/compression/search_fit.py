"""Whether a setting is worth a run: whether the passes can be carried out so, and what size is predicted of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from graphbuilder.compression.budget import Budget
from graphbuilder.compression.passes import LowRank
from graphbuilder.compression.plan import CompressionPlan, plan_compression
from graphbuilder.compression.plan_data import predicted_sizes
from graphbuilder.compression.search_space import Setting, Space, apply
from graphbuilder.errors import CommandError, Diagnostic, Severity
from graphbuilder.graph import Graph

__all__ = ["predicted_gzip", "refusal", "refuse_hopeless"]

# A file may come out smaller than predicted by this many times the largest error that was met in measuring; of much
# sparsity the prediction is too large, because quantization makes further zeros.
_CAUTION = 2


def refusal(graph: Graph, setting: Setting, budget: Budget, *, judged: bool = True) -> str | None:
    """Why a setting is not worth a run, in a clause; None where it is.

    Arguments:
        graph: the graph with the declared passes.
        setting: what they are changed to.
        budget: what must be held.
        judged: whether the predicted size is looked at.
    """
    changed = replace(graph, compression=apply(graph.compression, setting))
    plan, found = plan_compression(changed)
    wrong = next((each for each in found if each.severity is Severity.ERROR), None)
    if wrong is not None:
        return wrong.message
    return next(_too_large(plan, changed, budget), None) if judged else None


def predicted_gzip(graph: Graph, setting: Setting) -> int:
    """The bytes of the .tflite file after gzip that are predicted of a setting.

    Arguments:
        graph: the graph with the declared passes.
        setting: what they are changed to.
    """
    changed = replace(graph, compression=apply(graph.compression, setting))
    plan, _ = plan_compression(changed)
    return predicted_sizes(plan, changed)[1].gzip


def refuse_hopeless(graph: Graph, space: Space, budget: Budget) -> None:
    """Refuses a search in which not even the smallest setting could meet the bounds on the size.

    Raises:
        CommandError: GB842, with what the smallest setting comes to.
    """
    changed = replace(graph, compression=apply(graph.compression, space.setting(space.smallest())))
    plan, _ = plan_compression(changed)
    reason = next(_too_large(plan, changed, budget), None)
    if reason is not None:
        values = ", ".join(f"{name} {value:g}" for name, value in space.smallest().items())
        hint = "widen what is searched with `search:` beside a pass, or ask for less"
        message = f"no setting can meet the budget: with {values}, {reason}"
        raise CommandError(Diagnostic("GB842", message, hint=hint))


def _too_large(plan: CompressionPlan, graph: Graph, budget: Budget) -> Iterator[str]:
    """The bounds on the size that what is predicted cannot meet, each with what is predicted."""
    if any(isinstance(stage.declared, LowRank) for stage in plan.stages):
        # Predictions do not know of thinner layers.
        return
    before, after = predicted_sizes(plan, graph)
    for kind in ("gzip", "raw"):
        small, error = getattr(after, kind), getattr(after, f"{kind}_error")
        least = small * (1 - _CAUTION * error)
        most, ratio = getattr(budget, f"{kind}_bytes"), getattr(budget, f"{kind}_ratio")
        if most is not None and least > most:
            yield f"{kind}_bytes is predicted to be {small:,}, budget {most:,}"
        if ratio is not None and getattr(before, kind) * (1 + error) / least < ratio:
            yield f"{kind}_ratio is predicted to be {getattr(before, kind) / small:.1f}, budget {ratio:g}"
