"""A compression report as lines of plain text, for a terminal of any width from 80 columns on."""

from __future__ import annotations

from collections.abc import Sequence

from graphbuilder.compression.report import BudgetFacts, LayerFacts, Report, Stage

__all__ = ["bytes_text", "percent", "report_lines", "score"]


def bytes_text(count: int | None) -> str:
    """A number of bytes as people say it.

    Example:
        >>> bytes_text(608_236), bytes_text(512), bytes_text(None)
        ('608.2 kB', '512 B', '–')
    """
    if count is None:
        return "–"
    if count < 1_000:
        return f"{count} B"
    for unit, size in (("kB", 1e3), ("MB", 1e6)):
        if count < size * 1e3:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e9:.2f} GB"


def percent(share: float | None, digits: int = 1) -> str:
    """A share in percent."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def score(stage: Stage, runtime: bool) -> float | None:
    """How good a stage is by its first measure, in Keras or in the TFLite runtime."""
    if not stage.accuracy:
        return None
    return stage.accuracy[0].lite if runtime else stage.accuracy[0].keras


def report_lines(report: Report, *, every_stage: bool = True) -> list[str]:
    """The report as lines: the stages in a table, then what became of the layers, then what was left alone and why.

    Arguments:
        report: the report.
        every_stage: whether the layers are told of for every stage; else for the last alone.
    """
    lines = [f"{report.name}: compression", ""]
    head = ["stage", "raw", "gzip", "smaller", "Keras", "TFLite", "ms"]
    lines += _table(head, [_stage_row(stage, report) for stage in report.stages])
    measured = [item for stage in report.stages for item in stage.accuracy]
    if measured:
        first = measured[0]
        lines += ["", f"Keras and TFLite: {first.metric} of {first.output} on {first.samples} samples."]
    timed = next((stage.latency for stage in report.stages if stage.latency is not None), None)
    if timed is not None:
        lines.append(
            f"ms: median of {timed.runs} runs of {timed.batch} sample(s), {timed.threads} thread(s), {timed.runtime}."
        )
    lines.append("smaller: by how much the first stage's gzip is larger.")
    for stage in report.stages if every_stage else report.stages[-1:]:
        if stage.layers:
            lines += ["", f"{stage.name}: layers"]
            lines += _table(
                ["node", "kind", "weights", "zeros", "asked", "values", "asked", "per channel", "bits"],
                [_layer_row(layer) for layer in stage.layers],
            )
    if report.budget:
        lines += ["", "budget"]
        lines += _table(["bound", "", "asked", "found", "detail"], [_budget_row(facts) for facts in report.budget])
    skipped = [(stage, skip) for stage in report.stages for skip in stage.skips]
    if skipped:
        lines += ["", "left alone"]
        reasons: dict[tuple[str, str], list[str]] = {}
        for stage, skip in skipped:
            reasons.setdefault((stage.name, skip.reason), []).append(skip.node)
        lines += [f"  {', '.join(nodes)} by {name}: {reason}" for (name, reason), nodes in reasons.items()]
    noted = [(stage, note) for stage in report.stages for note in stage.notes]
    if noted:
        lines += ["", "notes"]
        lines += [f"  {stage.name}: {note}" for stage, note in noted]
    return lines


def _stage_row(stage: Stage, report: Report) -> list[str]:
    artifact, first = stage.artifact(), report.stages[0].artifact()
    smaller = f"{first.gzip / artifact.gzip:.1f}×" if artifact is not None and first is not None else "–"
    return [
        stage.name,
        bytes_text(artifact.raw if artifact else None),
        bytes_text(artifact.gzip if artifact else None),
        smaller,
        _number(score(stage, runtime=False)),
        _number(score(stage, runtime=True)),
        "–" if stage.latency is None else f"{stage.latency.median:.2f}",
    ]


def _budget_row(facts: BudgetFacts) -> list[str]:
    found = "–" if facts.found is None else f"{facts.found:.5g}"
    return [facts.name, "held" if facts.held else "missed", f"{facts.asked:.5g}", found, facts.detail or ""]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _layer_row(layer: LayerFacts) -> list[str]:
    def count(value: int | None) -> str:
        return "–" if value is None else f"{value:,}"

    return [
        layer.node,
        layer.kind,
        f"{layer.parameters:,}",
        percent(layer.sparsity),
        percent(layer.asked_sparsity),
        count(layer.unique),
        count(layer.asked_clusters),
        count(layer.unique_per_channel),
        count(layer.bits),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns side by side: the first one (and a second of words) to the left, numbers to the right."""
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    words = {0, 1} if "kind" in head else {0}

    def line(row: Sequence[str]) -> str:
        cells = (
            cell.ljust(width) if index in words else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  " + "  ".join(cells).rstrip()

    return [line(head), "  " + "  ".join("─" * width for width in widths), *(line(row) for row in rows)]
