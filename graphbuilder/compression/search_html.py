"""What a search found as one HTML file: no scripts, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from graphbuilder.compression.report_html import figure, page, table
from graphbuilder.compression.report_plots import svg, text, ticks
from graphbuilder.compression.report_text import bytes_text
from graphbuilder.compression.search_report import SearchReport, TrialFacts

__all__ = ["front_plot", "save_search_html", "search_html"]

_WIDTH, _HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 20, 52


def save_search_html(report: SearchReport, path: Path) -> Path:
    """Writes it as an HTML file, whole or not at all."""
    made = path.with_name(f".{path.name}.part")
    made.write_text(search_html(report), encoding="utf-8")
    made.replace(path)
    return path


def search_html(report: SearchReport) -> str:
    """What a search found, as HTML: the best, the front, everything that was tried."""
    title = f"{report.name}: search for settings"
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    about = " · ".join(part for part in (f"from {report.blueprint}" if report.blueprint else "", versions) if part)
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="about">{escape(about)}</p>']
    parts += [f"<p>{escape(line)}</p>" for line in _summary(report)]
    plot = front_plot(report)
    if plot is not None:
        caption = "Further left is smaller, further down loses less. Filled: no other trial beats it in both."
        caption += " The line is the most that the budget lets be lost." if "accuracy_drop" in report.bounds else ""
        parts.append(figure(plot, caption))
    parts += ["<h2>Budget</h2>", _budget(report)]
    parts += ["<h2>Front</h2>", _trials(report, [one for one in report.trials if one.number in report.front])]
    parts += ["<h2>What was varied</h2>", _dimensions(report)]
    parts += ["<h2>Trials</h2>", _trials(report, [one for one in report.trials if one.status == "done"])]
    left = [
        (f"{one.number}", one.status, _values(one), one.reason or "") for one in report.trials if one.status != "done"
    ]
    if left:
        parts += ["<h2>Failed and skipped</h2>", table(["trial", "what", "setting", "reason"], left, words=4)]
    return page(title, parts)


def _summary(report: SearchReport) -> Iterator[str]:
    best, nearest = report.trial(report.best), report.trial(report.nearest)
    ran = [one for one in report.trials if one.status != "skipped"]
    yield f"{len(ran)} trials; it ended because {report.stopped}."
    if best is not None:
        yield f"Best is trial {best.number} with {_values(best)}: {_found(best)}. best.yaml has its settings."
    elif nearest is not None:
        yield (
            f"No trial holds the budget. Trial {nearest.number} with {_values(nearest)} misses it by least: "
            f"{_found(nearest)}. best.yaml has its settings."
        )
    yield (
        "Every trial was judged on the same samples, so the accuracy of the best is somewhat flattered: "
        "measure it once more on samples that no trial has seen."
    )


def _values(trial: TrialFacts) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in trial.values.items())


def _found(trial: TrialFacts) -> str:
    ratio = "" if trial.gzip_ratio is None else f", {trial.gzip_ratio:.1f} times smaller"
    judged = f"{trial.metric} {_number(trial.accuracy)}, drop {_number(trial.drop)}"
    return f"{bytes_text(trial.gzip)} after gzip{ratio}, {judged}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _budget(report: SearchReport) -> str:
    nearest = report.trial(report.nearest)
    judged = {facts.name: facts for facts in nearest.budget} if nearest is not None else {}
    rows = []
    for name, asked in report.bounds.items():
        facts = judged.get(name)
        verdict = "–" if facts is None else "held" if facts.held else "missed"
        found = "–" if facts is None or facts.found is None else f"{facts.found:.5g}"
        rows.append([name, verdict, f"{asked:.5g}", found])
    return table(["bound", "verdict", "asked", "found"], rows, words=2)


def _dimensions(report: SearchReport) -> str:
    rows = [(one.name, one.values, f"{one.declared:g}") for one in report.dimensions]
    return table(["setting", "values", "declared"], rows, words=2)


def _trials(report: SearchReport, trials: list[TrialFacts]) -> str:
    names = [one.name for one in report.dimensions]
    rows = []
    for trial in trials:
        mark = " (best)" if trial.number == report.best else " (declared)" if trial.number == 1 else ""
        rows.append(
            [
                f"{trial.number}{mark}",
                "held" if trial.held else "missed",
                *(f"{trial.values[name]:g}" for name in names),
                f"{trial.gzip:,}",
                "–" if trial.gzip_ratio is None else f"{trial.gzip_ratio:.1f}×",
                _number(trial.accuracy),
                _number(trial.drop),
                "–" if trial.latency_ms is None else f"{trial.latency_ms:.2f}",
                f"{trial.seconds:.0f}",
            ]
        )
    head = ["trial", "budget", *names, "gzip", "smaller", "accuracy", "drop", "ms", "seconds"]
    return table(head, rows, words=2)


def front_plot(report: SearchReport) -> str | None:
    """Each trial as a point: its bytes after gzip to the right, what it loses upwards; None where none is done."""
    done = [trial for trial in report.trials if trial.status == "done"]
    if not done:
        return None
    bound = report.bounds.get("accuracy_drop")
    most = max(trial.costs[0] for trial in done) * 1.08
    drops = [trial.costs[1] for trial in done] + ([] if bound is None else [bound])
    # One disaster must not press all others into a line, and a difference of a few samples must not fill the plot.
    middle = sorted(drops)[len(drops) // 2]
    low, high = min(0.0, *drops), min(max(drops), max(4 * max(bound or 0.0, middle), 0.02))
    margin = max(0.002, (high - low) * 0.08)
    low, high = low - margin, high + margin
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(size: float) -> float:
        return _LEFT + inner_width * size / most

    def up(drop: float) -> float:
        return _TOP + inner_height * (high - min(drop, high)) / (high - low)

    parts = []
    bottom = _TOP + inner_height
    for tick in ticks(0, most):
        parts.append(f'<line class="grid" x1="{across(tick):.1f}" x2="{across(tick):.1f}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(text(across(tick), bottom + 18, bytes_text(int(tick))))
    for tick in ticks(low, high):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>'
        )
        parts.append(text(_LEFT - 8, up(tick) + 4, f"{tick:.3f}", "end"))
    parts.append(text(_LEFT + inner_width / 2, _HEIGHT - 8, "bytes of the .tflite file after gzip", kind="axis"))
    if bound is not None and bound <= high:
        parts.append(
            f'<line class="asked" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up(bound):.1f}" y2="{up(bound):.1f}"/>'
        )
    front = [trial for trial in done if trial.number in report.front]
    front.sort(key=lambda trial: trial.costs)
    if len(front) > 1:
        path = " ".join(f"{across(trial.costs[0]):.1f},{up(trial.costs[1]):.1f}" for trial in front)
        parts.append(f'<polyline class="way" points="{path}"/>')
    for trial in done:
        x, y = across(trial.costs[0]), up(trial.costs[1])
        kind, radius = ("point", 5) if trial.number in report.front else ("outline", 4)
        parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>')
    for trial in front:
        label = f"{trial.number}" + (" best" if trial.number == report.best else "")
        parts.append(text(across(trial.costs[0]) + 8, up(trial.costs[1]) - 6, label, "start", "label"))
    return svg(_WIDTH, _HEIGHT, "Size against loss of accuracy, trial by trial", parts)
