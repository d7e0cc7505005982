"""A compression report as one HTML file: no scripts, nothing fetched from elsewhere, readable in light and in dark."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from graphbuilder.compression.report import LayerFacts, Report, Stage
from graphbuilder.compression.report_plots import histogram, size_against_accuracy, sparsity_bars
from graphbuilder.compression.report_text import bytes_text, percent

__all__ = ["figure", "page", "report_html", "save_html", "table"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --rule: #d1d9e0; --paper: #fff; --fill: #2f6fb3;
  --mark: #c4430f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #9aa4af; --rule: #3d444d; --paper: #14181d;
  --fill: #6aa7e8; --mark: #ff8b5c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2.2rem; } h3 { font-size: 1rem; }
p.about, figcaption, .soft { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th { font-weight: 600; } th.word, td.word { text-align: left; } td.long { white-space: normal; }
figure { margin: 1rem 0; } svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); } svg text.label { fill: var(--ink); }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .bar, svg .point { fill: var(--fill); }
svg .way { fill: none; stroke: var(--fill); stroke-width: 1.5; opacity: .5; }
svg .asked { stroke: var(--mark); stroke-width: 2; } svg .outline { fill: none; stroke: var(--mark); stroke-width: 1; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 1rem; }
"""


def save_html(report: Report, path: Path) -> Path:
    """Writes the report as an HTML file, whole or not at all."""
    made = path.with_name(f".{path.name}.part")
    made.write_text(report_html(report), encoding="utf-8")
    made.replace(path)
    return path


def report_html(report: Report) -> str:
    """The report as HTML."""
    title = f"{report.name}: compression"
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    about = [f"from {report.blueprint}" if report.blueprint else "", versions]
    parts = [f"<h1>{escape(title)}</h1>", f'<p class="about">{escape(" · ".join(part for part in about if part))}</p>']
    parts += ["<h2>Stages</h2>", _stages(report)]
    if report.budget:
        rows = [
            [
                facts.name,
                "held" if facts.held else "missed",
                facts.detail or "",
                f"{facts.asked:.5g}",
                "–" if facts.found is None else f"{facts.found:.5g}",
            ]
            for facts in report.budget
        ]
        parts += ["<h2>Budget</h2>", table(["bound", "verdict", "detail", "asked", "found"], rows, words=3)]
    plot = size_against_accuracy(report)
    if plot is not None:
        parts.append(figure(plot, "Further left is smaller, further up is better. The line follows the stages."))
    for number, stage in enumerate(report.stages, 1):
        parts += _stage(number, stage, report.stages[0])
    skipped = [
        (f"{skip.node}", skip.pass_name, stage.name, skip.reason) for stage in report.stages for skip in stage.skips
    ]
    if skipped:
        head = ["node", "pass", "stage", "reason"]
        parts += ["<h2>Left alone</h2>", table(head, skipped, words=4)]
    return page(title, parts)


def page(title: str, parts: Sequence[str]) -> str:
    """An HTML file with these parts.

    Arguments:
        title: plain text.
        parts: HTML.
    """
    body = "\n".join(parts)
    # The policy is for a reader's peace of mind: whatever a blueprint's names hold, nothing runs and nothing loads.
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def figure(plot: str, caption: str) -> str:
    """A plot with words below it."""
    return f"<figure>{plot}<figcaption>{escape(caption)}</figcaption></figure>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """A table whose first columns are words and whose others are numbers."""

    def cell(tag: str, index: int, text: str) -> str:
        kind = "" if index >= words else ' class="word long"' if len(text) > 60 else ' class="word"'
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    lines = ["<tr>" + "".join(cell("th", index, text) for index, text in enumerate(head)) + "</tr>"]
    lines += ["<tr>" + "".join(cell("td", index, text) for index, text in enumerate(row)) + "</tr>" for row in rows]
    return '<div class="wide"><table>\n' + "\n".join(lines) + "\n</table></div>"


def _stages(report: Report) -> str:
    """The stages, with what each of them costs and gives."""
    rows = []
    first = report.stages[0].artifact()
    for number, stage in enumerate(report.stages, 1):
        artifact = stage.artifact()
        smaller = "–" if artifact is None or first is None else f"{first.gzip / artifact.gzip:.1f}×"
        good = stage.accuracy[0] if stage.accuracy else None
        rows.append(
            [
                f"{number} {stage.name}",
                bytes_text(artifact.raw if artifact else None),
                bytes_text(artifact.gzip if artifact else None),
                smaller,
                _score(good.keras if good else None),
                _score(good.lite if good else None),
                "–" if stage.latency is None else f"{stage.latency.median:.2f} / {stage.latency.p90:.2f}",
                "–" if stage.macs is None else f"{stage.macs:,}",
                "–" if stage.seconds is None else f"{stage.seconds:.1f}",
            ]
        )
    head = ["stage", "raw", "gzip", "smaller", "Keras", "TFLite", "ms (median / p90)", "MACs", "seconds"]
    said = _said(report)
    return table(head, rows) + (f'<p class="soft">{escape(said)}</p>' if said else "")


def _said(report: Report) -> str:
    """How the numbers of the table were measured."""
    said = []
    good = next((item for stage in report.stages for item in stage.accuracy), None)
    if good is not None:
        said.append(f"Keras and TFLite: {good.metric} of {good.output} on {good.samples} samples.")
    fast = next((stage.latency for stage in report.stages if stage.latency is not None), None)
    if fast is not None:
        said.append(
            f"Time: {fast.runs} runs after {fast.warm_up}, batch {fast.batch}, {fast.threads} thread(s) on a machine"
            f" with {fast.cores} cores, {fast.runtime}."
        )
    file = next((item for stage in report.stages for item in stage.artifacts), None)
    if file is not None:
        said.append(f"gzip at level {file.gzip_level}; smaller: by how much the first stage's gzip is larger.")
    return " ".join(said)


def _score(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _stage(number: int, stage: Stage, first: Stage) -> list[str]:
    """One stage in detail, where there is any."""
    parts = []
    if stage.layers:
        parts.append(_layers(stage.layers))
        bars = sparsity_bars(stage.layers)
        if bars is not None and any(layer.sparsity for layer in stage.layers):
            parts.append(figure(bars, "Zeros in the kernels of each layer. The line marks what was asked for."))
        before = {layer.node: layer.histogram for layer in first.layers} if stage is not first else {}
        plots = [
            histogram(layer.histogram, before.get(layer.node), layer.node)
            for layer in stage.layers
            if layer.histogram is not None
        ]
        if plots:
            caption = "How the weights are spread, heights on a scale of roots"
            caption += "; the outline is the first stage." if before else "."
            parts.append(f'<div class="small">{"".join(plots)}</div><p class="soft">{escape(caption)}</p>')
    if stage.artifacts:
        rows = [
            [
                item.path,
                item.scheme or item.kind,
                f"{item.raw:,}",
                f"{item.gzip:,}",
                "–" if item.predicted_raw is None else f"{item.predicted_raw:,}",
                "–" if item.predicted_gzip is None else f"{item.predicted_gzip:,}",
            ]
            for item in stage.artifacts
        ]
        parts.append(table(["file", "what", "bytes", "gzip", "predicted", "predicted gzip"], rows, words=2))
    if stage.agreement:
        rows = [
            [item.output, f"{item.scale:.3g}", f"{item.typical:.3g}", f"{item.largest:.3g}", f"{item.samples}"]
            for item in stage.agreement
        ]
        head = ["TFLite against Keras", "scale", "typical difference", "largest difference", "samples"]
        parts.append(table(head, rows))
    parts += [f"<p>{escape(note)}</p>" for note in stage.notes]
    return [f"<h2>{number} {escape(stage.name)}</h2>", *parts] if parts else []


def _layers(layers: Sequence[LayerFacts]) -> str:
    def count(value: int | None) -> str:
        return "–" if value is None else f"{value:,}"

    rows = [
        [
            layer.node,
            layer.kind,
            f"{layer.parameters:,}",
            count(layer.macs),
            percent(layer.sparsity),
            percent(layer.asked_sparsity),
            count(layer.unique),
            count(layer.asked_clusters),
            count(layer.unique_per_channel),
            count(layer.bits),
        ]
        for layer in layers
    ]
    head = ["node", "kind", "weights", "MACs", "zeros", "asked", "values", "asked", "per channel", "bits"]
    return table(head, rows, words=2)
