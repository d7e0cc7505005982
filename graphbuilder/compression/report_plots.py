"""The plots of a compression report, as SVG that needs nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from graphbuilder.compression.report import Histogram, LayerFacts, Report
from graphbuilder.compression.report_text import bytes_text, percent, score

__all__ = ["histogram", "size_against_accuracy", "sparsity_bars", "svg", "text", "ticks"]

_WIDTH, _HEIGHT = 720, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 20, 52


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two, about so many.

    Example:
        >>> ticks(0, 1)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return [low]
    raw = span / count
    power = 10 ** math.floor(math.log10(raw))
    step = power * min((1, 2, 2.5, 5, 10), key=lambda factor: abs(factor * power - raw))
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def text(x: float, y: float, words: str, anchor: str = "middle", kind: str = "") -> str:
    """Words at a place, as SVG."""
    styled = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{styled}>{escape(words)}</text>'


def svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """A plot made of its parts."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" xmlns="http://www.w3.org/2000/svg" '
        f'style="max-width:{width:g}px">\n<title>{escape(title)}</title>\n' + "\n".join(parts) + "\n</svg>"
    )


def size_against_accuracy(report: Report) -> str | None:
    """Each stage as a point: its bytes after gzip to the right, how good it is upwards; None where nothing is known.

    Points that lie on one another are common (nothing was lost), so each has a number, and labels keep apart.
    """
    points = []
    for number, stage in enumerate(report.stages, 1):
        artifact = stage.artifact()
        value = score(stage, runtime=True)
        value = score(stage, runtime=False) if value is None else value
        if artifact is not None and value is not None and math.isfinite(value):
            points.append((number, stage.name, artifact.gzip, value))
    if not points:
        return None
    most = max(size for _, _, size, _ in points) * 1.08
    low, high = min(value for *_, value in points), max(value for *_, value in points)
    # A difference of a few samples must not fill the plot.
    margin = max(0.01, (high - low) * 0.25)
    low, high = low - margin, high + margin
    inner_width, inner_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(size: float) -> float:
        return _LEFT + inner_width * size / most

    def up(value: float) -> float:
        return _TOP + inner_height * (high - value) / (high - low)

    parts = []
    for tick in ticks(0, most):
        parts.append(f'<line class="grid" x1="{across(tick):.1f}" x2="{across(tick):.1f}" y1="{_TOP}" '
                     f'y2="{_TOP + inner_height}"/>')  # fmt: skip
        parts.append(text(across(tick), _TOP + inner_height + 18, bytes_text(int(tick))))
    for tick in ticks(low, high):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>'
        )
        parts.append(text(_LEFT - 8, up(tick) + 4, f"{tick:.3g}" if high - low > 0.1 else f"{tick:.3f}", "end"))
    parts.append(text(_LEFT + inner_width / 2, _HEIGHT - 8, "bytes of the .tflite file after gzip", kind="axis"))
    if len(points) > 1:
        path = " ".join(f"{across(size):.1f},{up(value):.1f}" for _, _, size, value in points)
        parts.append(f'<polyline class="way" points="{path}"/>')
    placed: list[tuple[float, float, float]] = []
    for number, name, size, value in points:
        x, y = across(size), up(value)
        parts.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        label = f"{number} {name}"
        wide = 6.6 * len(label)
        anchor = "start" if x + 10 + wide < _WIDTH - _RIGHT else "end"
        left = x + 10 if anchor == "start" else x - 10 - wide
        line = y - 8
        while any(abs(line - other) < 14 and left < end and start < left + wide for start, end, other in placed):
            line += 15
        placed.append((left, left + wide, line))
        parts.append(text(x + 10 if anchor == "start" else x - 10, line, label, anchor, "label"))
    return svg(_WIDTH, _HEIGHT, "Size against accuracy, stage by stage", parts)


def sparsity_bars(layers: Sequence[LayerFacts]) -> str | None:
    """The share of zeros of each layer as a bar, with a mark where it was asked to be; None where there are none."""
    shown = [layer for layer in layers if layer.sparsity is not None]
    if not shown:
        return None
    row, names = 24, min(300.0, 16 + 6.8 * max(len(layer.node) for layer in shown))
    width, height = 720.0, row * len(shown) + 34.0
    inner = width - names - 76
    parts = [
        f'<line class="grid" x1="{names + inner * tick:.1f}" x2="{names + inner * tick:.1f}" y1="4" '
        f'y2="{height - 26:.1f}"/>' + text(names + inner * tick, height - 8, percent(tick, 0))
        for tick in (0, 0.25, 0.5, 0.75, 1)
    ]
    for index, layer in enumerate(shown):
        y = 6 + index * row
        zeros = layer.sparsity or 0.0
        name = layer.node if len(layer.node) <= 42 else f"…{layer.node[-41:]}"
        parts.append(text(names - 8, y + 14, name, "end"))
        parts.append(f'<rect class="bar" x="{names:.1f}" y="{y + 2}" width="{inner * zeros:.1f}" height="{row - 8}"/>')
        if layer.asked_sparsity is not None:
            x = names + inner * layer.asked_sparsity
            parts.append(f'<line class="asked" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + row - 4}"/>')
        parts.append(text(width - 4, y + 14, percent(zeros), "end"))
    return svg(width, height, "Zeros in each layer; the line marks what was asked for", parts)


def histogram(of: Histogram, before: Histogram | None, title: str) -> str:
    """How weights are spread, on a scale of roots, because the zeros of a pruned layer would hide all else.

    Arguments:
        of: after the last stage.
        before: in the first stage, drawn as an outline.
        title: the layer's name.
    """
    width, height, base = 230.0, 120.0, 92.0
    both = [of] if before is None else [of, before]
    low, high = min(item.low for item in both), max(item.high for item in both)
    span = (high - low) or 1.0
    most = math.sqrt(max(max(item.counts, default=0) for item in both) or 1)

    def across(value: float) -> float:
        return 6 + (width - 12) * (value - low) / span

    def tall(count: int) -> float:
        return (base - 18) * math.sqrt(count) / most

    parts = []
    step = (of.high - of.low) / max(1, len(of.counts))
    for index, count in enumerate(of.counts):
        if count:
            left = across(of.low + index * step)
            wide = max(1.0, (width - 12) * step / span - 0.5)
            parts.append(
                f'<rect class="bar" x="{left:.1f}" y="{base - tall(count):.1f}" width="{wide:.1f}" '
                f'height="{tall(count):.1f}"/>'
            )
    if before is not None and before.counts:
        step = (before.high - before.low) / len(before.counts)
        corners = [f"{across(before.low):.1f},{base:.1f}"]
        for index, count in enumerate(before.counts):
            y = base - tall(count)
            corners += [
                f"{across(before.low + index * step):.1f},{y:.1f}",
                f"{across(before.low + (index + 1) * step):.1f},{y:.1f}",
            ]
        corners.append(f"{across(before.high):.1f},{base:.1f}")
        parts.append(f'<polyline class="outline" points="{" ".join(corners)}"/>')
    parts.append(f'<line class="grid" x1="6" x2="{width - 6:g}" y1="{base}" y2="{base}"/>')
    parts += [text(6, base + 16, f"{low:.3g}", "start"), text(width - 6, base + 16, f"{high:.3g}", "end")]
    if low < 0 < high:
        parts.append(text(across(0), base + 16, "0"))
    shown = title if len(title) <= 34 else f"…{title[-33:]}"
    parts.append(text(6, 11, shown, "start", "label"))
    return svg(width, height, f"Weights of {title}", parts)
