"""What a compressed model may cost: bounds from the blueprint and the command line, judged on a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphbuilder.blueprint.budget_bounds import BOUNDS, expected_bound
from graphbuilder.catalog.arguments import as_written
from graphbuilder.compression.report import Accuracy, BudgetFacts, Report, Stage
from graphbuilder.compression.report_text import bytes_text
from graphbuilder.errors import BlueprintError, CommandError, Diagnostic, suggestion
from graphbuilder.graph import Graph, Origin

__all__ = ["DEFAULT_DROP", "Budget", "budget_of", "check_budget", "less_is_better", "parse_budget"]

# What a search lets be lost where nobody says otherwise.
DEFAULT_DROP = 0.01
# By how much a number may pass its bound and still hold it, as a share: 0.9889 - 0.9789 is 0.01000000000000001.
_ROUNDING = 1e-9
# What makes a pass lose less, by its name.
_WEAKER: Mapping[str, str] = {
    "prune": "ask it for less sparsity, or give it more epochs or a larger learning_rate",
    "cluster": "give it more clusters or epochs",
    "low_rank": "give it a higher rank or energy, or more epochs",
    "quantize": "train for it (aware: true, more epochs), or leave layers out under where: {except: …}",
}
_SMALLER = "ask prune for more sparsity or cluster for fewer clusters, or let --search find settings"


def less_is_better(metric: str) -> bool:
    """Whether a metric tells how wrong a model is.

    Example:
        >>> less_is_better("mean_absolute_error"), less_is_better("binary_accuracy")
        (True, False)
    """
    return metric.endswith(("error", "loss", "crossentropy", "divergence", "hinge"))


@dataclass(frozen=True, slots=True)
class Budget:
    """What a compressed model may cost, against the float model that it was made from.

    Arguments:
        accuracy_drop: by how much the first measure in the TFLite runtime may be worse, in that measure's own unit.
        gzip_ratio: how many times smaller the .tflite file must be, both after gzip.
        raw_ratio: how many times smaller the .tflite file must be.
        gzip_bytes: the most bytes of the .tflite file after gzip.
        raw_bytes: the most bytes of the .tflite file.
        latency_ms: the most milliseconds of one call, the median of those measured.
        origin: where the blueprint sets bounds.
        given: the bounds that the command line set, which stand nowhere in the file.
    """

    accuracy_drop: float | None = None
    gzip_ratio: float | None = None
    raw_ratio: float | None = None
    gzip_bytes: int | None = None
    raw_bytes: int | None = None
    latency_ms: float | None = None
    origin: Origin | None = field(default=None, compare=False)
    given: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def bounds(self) -> dict[str, float]:
        """The bounds that are set, by name."""
        return {name: value for name in BOUNDS if (value := getattr(self, name)) is not None}

    def judged(self, report: Report) -> tuple[BudgetFacts, ...]:
        """Each bound with what was measured: the last stage of a report against its first.

        Arguments:
            report: what a compression did; what it did not measure holds no bound.
        """
        return tuple(_judged(name, asked, report) for name, asked in self.bounds.items())

    def missed(self, report: Report) -> tuple[Diagnostic, ...]:
        """What is to be said of each bound that is not held; nothing where all are.

        Arguments:
            report: what a compression did.
        """
        return tuple(self._diagnostic(facts, report) for facts in self.judged(report) if not facts.held)

    def _diagnostic(self, facts: BudgetFacts, report: Report) -> Diagnostic:
        told = f"{facts.name} was not measured: {facts.detail}"
        if facts.found is not None:
            told = f"{facts.name} is {_number(facts.name, facts.found)} ({facts.detail})"
        written = self.origin if facts.name not in self.given else None
        return Diagnostic(
            "GB841",
            f"{told}, budget {_number(facts.name, facts.asked)}",
            file=None if written is None else written.source.name,
            position=None if written is None else written.position(facts.name),
            found=None if facts.found is None else _number(facts.name, facts.found),
            hint=_hint(facts, report),
        )


def check_budget(graph: Graph) -> tuple[Diagnostic, ...]:
    """What is wrong with the bounds that a graph's blueprint sets, once their expressions are resolved.

    Arguments:
        graph: the graph.
    """
    declared = graph.budget
    if declared is None:
        return ()
    found = []
    for name in BOUNDS:
        value = declared.bounds.get(name)
        problem = _problem(name, value, graph)
        if problem is not None:
            message, expected, hint = problem
            place = declared.origin
            found.append(
                Diagnostic(
                    "GB203",
                    message,
                    file=place.source.name,
                    position=place.position(name),
                    found=as_written(value),
                    expected=expected,
                    hint=hint,
                )
            )
    return tuple(found)


def budget_of(graph: Graph, given: Mapping[str, Any] | None = None) -> Budget:
    """The budget of a graph.

    Arguments:
        graph: the graph, with the bounds of its blueprint.
        given: bounds that win over those, as `parse_budget` gives them; None takes a bound away.

    Raises:
        BlueprintError: the blueprint's bounds are wrong.
        CommandError: those given are.
    """
    found = check_budget(graph)
    if found:
        raise BlueprintError(found)
    for name, value in (given or {}).items():
        problem = _problem(name, value, graph)
        if problem is not None:
            message, expected, hint = problem
            raise CommandError(Diagnostic("GB603", f"--budget: {message}", expected=expected, hint=hint))
    declared = graph.budget
    written = {} if declared is None else {name: declared.bounds.get(name) for name in BOUNDS}
    origin = None if declared is None else declared.origin
    return Budget(**{**written, **(given or {})}, origin=origin, given=frozenset(given or ()))


def parse_budget(settings: Sequence[str] | None) -> dict[str, Any]:
    """The bounds of `--budget name=value`.

    Arguments:
        settings: each `name=value`; a value of null takes away the bound that the blueprint sets.

    Raises:
        CommandError: one has no `=`, names no bound, or its value is not one that the bound takes.

    Example:
        >>> parse_budget(["accuracy_drop=0.01", "gzip_bytes=40_000"])
        {'accuracy_drop': 0.01, 'gzip_bytes': 40000}
    """
    from graphbuilder.text import parse

    found: dict[str, Any] = {}
    for setting in settings or ():
        name, equals, written = (part.strip() for part in setting.partition("="))
        if not equals or not name or not written:
            hint = "such as --budget accuracy_drop=0.01"
            raise CommandError(Diagnostic("GB603", f"--budget {setting} is not of the form NAME=VALUE", hint=hint))
        if name not in BOUNDS:
            near = suggestion(name, list(BOUNDS))
            raise CommandError(Diagnostic("GB603", f"--budget {name} is not known", found=name, hint=near))
        try:
            value = parse(written, name=f"--budget {name}").data
        except BlueprintError as error:
            raise CommandError(error.diagnostics) from error
        # YAML 1.2 reads 40_000 as a word, and people write it.
        if isinstance(value, str) and value.replace("_", "").isdigit():
            value = int(value.replace("_", ""))
        expected = expected_bound(name, value)
        if expected is not None:
            raise CommandError(Diagnostic("GB603", f"--budget {name} is {as_written(value)}", expected=expected))
        found[name] = value
    return found


def _problem(name: str, value: Any, graph: Graph) -> tuple[str, str, str | None] | None:
    """What is wrong with a bound: the message, what would be accepted, and a hint."""
    expected = expected_bound(name, value)
    if expected is not None:
        return f"{name} is {as_written(value)}", expected, None
    loss = (graph.training or {}).get("loss")
    if name == "accuracy_drop" and value is not None and value >= 1 and "crossentropy" in str(loss).lower():
        # A bound of 1 is always held, so that a typing error would go unnoticed.
        return f"{name} is {value:g}, and an accuracy is never above 1", "less than 1", "0.01 is one point of a hundred"
    return None


def _judged(name: str, asked: float, report: Report) -> BudgetFacts:
    """One bound, judged."""
    found, detail = _measured(name, report.stages[0], report.stages[-1])
    if found is None:
        return BudgetFacts(name=name, asked=asked, held=False, detail=detail)
    slack = _ROUNDING * max(1.0, abs(asked))
    held = found >= asked - slack if name.endswith("_ratio") else found <= asked + slack
    return BudgetFacts(name=name, asked=asked, found=found, held=held, detail=detail)


def _measured(name: str, before: Stage, after: Stage) -> tuple[float | None, str]:
    """What a bound is compared with, and what it comes of, or why it was not measured."""
    if name == "accuracy_drop":
        return _drop(before, after)
    if name != "latency_ms":
        return _size(name, before, after)
    if after.latency is None:
        return None, "the last stage was not timed"
    return after.latency.median, f"the median of {after.latency.runs} runs"


def _drop(before: Stage, after: Stage) -> tuple[float | None, str]:
    """By how much the first measure is worse in the last stage, and its two values."""
    first = before.accuracy[0] if before.accuracy else None
    if first is None:
        return None, "no output is judged by a metric"
    last = next((item for item in after.accuracy if (item.output, item.metric) == (first.output, first.metric)), None)
    if first.lite is None or last is None or last.lite is None:
        missing = "first" if first.lite is None else "last"
        return None, f"{first.metric} of the {missing} stage was not measured in the TFLite runtime"
    return _worse(first, first.lite, last.lite), f"{first.lite:.4f} → {last.lite:.4f}"


def _worse(judged: Accuracy, before: float, after: float) -> float:
    """By how much a measure got worse; below 0 where it got better."""
    return after - before if less_is_better(judged.metric) else before - after


def _size(name: str, before: Stage, after: Stage) -> tuple[float | None, str]:
    """A size or a ratio of sizes, and the bytes that it comes of."""
    first, last = before.artifact(), after.artifact()
    kind, _, what = name.partition("_")
    if last is None:
        return None, "the last stage has no .tflite file"
    small: int = getattr(last, kind)
    if what == "bytes":
        return small, bytes_text(small)
    if first is None:
        return None, "the first stage has no .tflite file"
    large: int = getattr(first, kind)
    return large / small, f"{bytes_text(large)} → {bytes_text(small)}"


def _number(name: str, value: float) -> str:
    """A bound's number as people write it.

    Example:
        >>> _number("gzip_bytes", 43210), _number("accuracy_drop", 0.017777), _number("gzip_ratio", 14)
        ('43,210', '0.0178', '14')
    """
    return f"{value:,.0f}" if name.endswith("_bytes") else f"{value:.3g}"


def _hint(facts: BudgetFacts, report: Report) -> str | None:
    """What to change so that the bound would be held."""
    if facts.found is None:
        return None
    if facts.name == "accuracy_drop":
        worst = max(_losses(report), default=None)
        if worst is None or worst[0] <= 0:
            return None
        loss, name, declared = worst
        return f"{name} loses most ({loss:.3g}): {_WEAKER.get(declared, 'ask it for less')}"
    declared_passes = {stage.pass_name for stage in report.stages}
    if facts.name == "latency_ms":
        add = "add {pass: quantize}" if "quantize" not in declared_passes else "add {pass: low_rank, energy: 0.9}"
        return f"{add}; zeros and shared values make a file smaller and no call faster"
    if "quantize" not in declared_passes:
        return "add {pass: quantize}, which makes it about 4 times smaller"
    if facts.name.startswith("raw"):
        return "only quantize and low_rank make the file itself smaller; zeros and shared values show after gzip"
    return _SMALLER


def _losses(report: Report) -> Iterator[tuple[float, str, str]]:
    """By how much each stage is worse than the one before it, with its name and its pass."""
    before: Stage | None = None
    for stage in report.stages:
        if before is not None and before.accuracy and stage.accuracy and stage.pass_name is not None:
            found, _ = _drop(before, stage)
            if found is not None:
                yield found, stage.name, stage.pass_name
        before = stage
