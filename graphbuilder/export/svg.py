"""A graph as a drawing for papers and pages: light, without fonts or scripts of its own, the same each time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from graphbuilder.blueprint import Document
from graphbuilder.export.drawing import Box, Drawing, drawn, frames_of
from graphbuilder.export.layered import Layout, layered
from graphbuilder.graph import Graph

__all__ = ["svg"]

_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
_MARGIN = 24.0
_HEIGHT = 42.0
# Between two rows: room for a line to bend, and for the shape that is written at it.
_BETWEEN = 52.0
# How far lines run straight beside what is written at them.
_STRAIGHT = 18.0
_TITLE, _DETAIL, _SHAPE = 13.0, 11.0, 10.0
_PADDING = 12.0
_LONGEST = 44
# How far from its line a shape is written.
_ASIDE = 7.0
# Lines that bend by less do not run through what is written beside them.
_STRAIGHT_FROM = 4.0
_INK, _SOFT, _LINE = "#1f2933", "#52606d", "#52606d"
_FILLS = {
    "input": ("#e8f0f8", "#3c6e9e"),
    "output": ("#e8f0f8", "#3c6e9e"),
    "layer": ("#ffffff", "#52606d"),
    "op": ("#f4f5f7", "#7b8794"),
    "fuse": ("#fdf1dd", "#b7791f"),
    "block": ("#eaf5ee", "#2f855a"),
}
# The widths of Helvetica's letters, in thousandths of its size: the narrow and the wide ones; the rest is alike.
_NARROW = {**dict.fromkeys("ijl|'", 222), **dict.fromkeys("ft.,:;!/[]()I ", 278), **dict.fromkeys("r-", 333)}
_WIDE = {**dict.fromkeys("ABEKPSVXY", 667), **dict.fromkeys("CDHNRUw", 722), **dict.fromkeys("GOQ", 778), "m": 833}
_WIDTHS: Mapping[str, int] = {**_NARROW, **_WIDE, **dict.fromkeys("M", 833), "W": 944, "_": 556, "×": 584}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a box stands."""

    left: float
    top: float
    width: float

    @property
    def middle(self) -> float:
        return self.left + self.width / 2

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + _HEIGHT


def svg(graph: Graph, depth: int | None = 1, document: Document | None = None) -> str:
    """A graph as SVG, from top to bottom, with the shape that flows at each edge.

    Arguments:
        graph: what to draw.
        depth: how many names deep blocks are drawn; what lies deeper is one box. None or 0 draws all.
        document: what the graph was made of, so that folded boxes say which block they are.

    Example:
        >>> from graphbuilder.blueprint import load
        >>> from graphbuilder.lowering import lower
        >>> text = svg(lower(load("blueprints/image_text.yaml")))
        >>> text.count("<rect"), "222 × 222 × 64" in text
        (8, True)
    """
    drawing = drawn(graph, depth, document)
    widths = {path: _box_width(box) for path, box in drawing.boxes.items()}
    layout = layered(widths, list(dict.fromkeys((source, target) for source, target, _ in drawing.edges)))
    places = {
        path: _Place(
            layout.centres[path] - widths[path] / 2 + _MARGIN,
            layout.rows[path] * (_HEIGHT + _BETWEEN) + _MARGIN,
            widths[path],
        )
        for path in drawing.boxes
    }
    entries = _entries(drawing, layout, places)
    lines, labels, right = _edges(drawing, layout, places, entries)
    frames = list(_frames(drawing, places, entries))
    bends = (bend + _MARGIN for passed in layout.bends.values() for bend in passed)
    width = max([right, *bends, *(place.right for place in places.values())], default=0.0) + _MARGIN
    height = max((place.bottom for place in places.values()), default=0.0) + _MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
            f'viewBox="0 0 {_n(width)} {_n(height)}" font-family="{_FONT}" role="img">'
        ),
        f"<title>{_text(graph.name)}</title>",
        *([f"<desc>{_text(graph.about)}</desc>"] if graph.about else []),
        f'<rect width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>',
        *frames,
        f'<g fill="none" stroke="{_LINE}" stroke-width="1.2">',
        *lines,
        "</g>",
        f'<g fill="{_LINE}">',
        *_heads(drawing, entries, places),
        "</g>",
        *(_drawn_box(box, places[path]) for path, box in drawing.boxes.items()),
        f'<g font-size="{_n(_SHAPE)}" fill="{_SOFT}">',
        *labels,
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _drawn_box(box: Box, place: _Place) -> str:
    fill, stroke = _FILLS[box.kind]
    round_ = _HEIGHT / 2 if box.kind in ("input", "output") else 6
    shape = (
        f'<rect x="{_n(place.left)}" y="{_n(place.top)}" width="{_n(place.width)}" height="{_n(_HEIGHT)}" '
        f'rx="{_n(round_)}" fill="{fill}" stroke="{stroke}" stroke-width="1.2"/>'
    )
    # What stands for several nodes looks like a pile of them.
    pile = ""
    if box.kind == "block":
        pile = (
            f'<path d="M{_n(place.left + 6)} {_n(place.top - 3.5)}H{_n(place.right - 6)}" '
            f'stroke="{stroke}" stroke-width="1.2" fill="none"/>'
        )
    first = place.top + (18 if box.detail else 26)
    title = _line(box.title, place.middle, first, _TITLE, _INK, ' font-weight="600"')
    detail = _line(box.detail, place.middle, place.top + 33, _DETAIL, _SOFT) if box.detail else ""
    return f"<g>{pile}{shape}{title}{detail}</g>"


def _line(text: str, x: float, y: float, size: float, ink: str, more: str = "") -> str:
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{ink}" text-anchor="middle"{more}>'
        f"{_text(_short(text))}</text>"
    )


def _entries(drawing: Drawing, layout: Layout, places: Mapping[str, _Place]) -> dict[tuple[str, str], float]:
    """Where each edge meets the upper side of its box: side by side, the one that comes straight in the middle."""
    arriving: dict[str, dict[str, float]] = {}
    for source, target, _ in drawing.edges:
        bends = layout.bends[source, target]
        arriving.setdefault(target, {})[source] = bends[-1] + _MARGIN if bends else places[source].middle
    found = {}
    for target, coming in arriving.items():
        ordered = sorted(coming, key=coming.__getitem__)
        middle = places[target].middle
        step = min(18.0, (places[target].width - 24) / max(1, len(ordered) - 1))
        straight = [number for number, source in enumerate(ordered) if abs(coming[source] - middle) < 1]
        first = straight[0] if len(straight) == 1 else (len(ordered) - 1) / 2
        # Many edges beside a straight one would leave the box.
        first = (
            first
            if max(first, len(ordered) - 1 - first) * step < places[target].width / 2 - 8
            else (len(ordered) - 1) / 2
        )
        for number, source in enumerate(ordered):
            found[source, target] = middle + (number - first) * step
    return found


def _edges(
    drawing: Drawing, layout: Layout, places: Mapping[str, _Place], entries: Mapping[tuple[str, str], float]
) -> tuple[list[str], list[str], float]:
    """The lines, what is written at them, and how far to the right that reaches."""
    lines, labels, right = [], [], 0.0
    flows: dict[str, dict[str, None]] = {}
    for source, _, shape in drawing.edges:
        flows.setdefault(source, {})[shape] = None
    early = {source for source, shapes in flows.items() if len(shapes) > 1}
    drawn_edges: dict[tuple[str, str], int] = {}
    for source, target, shape in drawing.edges:
        if (source, target) not in drawn_edges:
            drawn_edges[source, target] = 0
            lines.append(f'<path d="{_curve(layout, places, entries, source, target, early=source in early)}"/>')
        if source not in early or not shape:
            continue
        # A box that gives several shapes has each written where it arrives, one above the other.
        above = places[target].top - 9 - drawn_edges[source, target] * (_SHAPE + 2)
        x = entries[source, target]
        labels.append(_label(shape, x, above, left=_clear_left(shape, x, [(source, target)], entries, early)))
        drawn_edges[source, target] += 1
        right = max(right, x + _ASIDE + _width(shape, _SHAPE))
    for source, shapes in flows.items():
        shape = next(iter(shapes))
        if len(shapes) == 1 and shape:
            x = places[source].middle
            edges = [(source, target) for one, target in entries if one == source]
            labels.append(
                _label(shape, x, places[source].bottom + 14, left=_clear_left(shape, x, edges, entries, early))
            )
            right = max(right, x + _ASIDE + _width(shape, _SHAPE))
    return lines, labels, right


def _clear_left(
    shape: str,
    x: float,
    edges: Sequence[tuple[str, str]],
    entries: Mapping[tuple[str, str], float],
    early: Collection[str],
) -> bool:
    """Whether what is written at edges stands better on their left: where others bend on the right only.

    Arguments:
        shape: what is written.
        x: where the edges run.
        edges: the edges.
        entries: where all edges arrive.
        early: the boxes whose edges bend at once, and so run through what is written there.
    """
    beside = []
    for source, target in edges:
        own = entries[source, target]
        beside += [entry - own for (other, one), entry in entries.items() if one == target and other in early]
        beside += [entry - x for (one, other), entry in entries.items() if one == source and one in early]
    left = x - _ASIDE - _width(shape, _SHAPE) * 1.16
    return any(by > 1 for by in beside) and not any(by < -1 for by in beside) and left > _MARGIN / 2


def _label(text: str, x: float, y: float, *, left: bool) -> str:
    # The white edge keeps what is written readable where a line runs under it. It is a text of its own, because not
    # everything that draws SVG can paint the edge first.
    edge = 'stroke="#ffffff" stroke-width="3.5" stroke-linejoin="round"'
    place = f'x="{_n(x - _ASIDE)}" y="{_n(y)}" text-anchor="end"' if left else f'x="{_n(x + _ASIDE)}" y="{_n(y)}"'
    return f'<text {place} {edge} aria-hidden="true">{_text(text)}</text><text {place}>{_text(text)}</text>'


def _curve(
    layout: Layout,
    places: Mapping[str, _Place],
    entries: Mapping[tuple[str, str], float],
    source: str,
    target: str,
    *,
    early: bool,
) -> str:
    """A line that leaves and arrives upright, and passes the rows between upright too.

    It runs straight where a shape is written beside it: at its beginning, or where `early` is set at its end.
    """
    x, y = places[source].middle, places[source].bottom
    steps = [f"M{_n(x)} {_n(y)}"]
    first = [entries[source, target], *(bend + _MARGIN for bend in reversed(layout.bends[source, target]))][-1]
    if not early and abs(x - first) >= _STRAIGHT_FROM:
        y += _STRAIGHT
        steps.append(f"V{_n(y)}")
    row = layout.rows[source]
    for bend in layout.bends[source, target]:
        row += 1
        top = row * (_HEIGHT + _BETWEEN) + _MARGIN
        steps += [_bent(x, y, bend + _MARGIN, top), f"V{_n(top + _HEIGHT)}"]
        x, y = bend + _MARGIN, top + _HEIGHT
    end = places[target].top - 6
    if early and abs(x - entries[source, target]) >= _STRAIGHT_FROM:
        bent = _bent(x, y, entries[source, target], end - _STRAIGHT)
        return "".join([*steps, bent, f"V{_n(end)}"])
    return "".join([*steps, _bent(x, y, entries[source, target], end)])


def _bent(x: float, y: float, to_x: float, to_y: float) -> str:
    if abs(x - to_x) < 0.05:
        return f"V{_n(to_y)}"
    half = (y + to_y) / 2
    return f"C{_n(x)} {_n(half)} {_n(to_x)} {_n(half)} {_n(to_x)} {_n(to_y)}"


def _heads(drawing: Drawing, entries: Mapping[tuple[str, str], float], places: Mapping[str, _Place]) -> Iterator[str]:
    for (_, target), x in entries.items():
        tip = places[target].top - (3.5 if drawing.boxes[target].kind == "block" else 0.6)
        yield f'<path d="M{_n(x)} {_n(tip)}L{_n(x - 3.6)} {_n(tip - 7)}H{_n(x + 3.6)}Z"/>'


def _frames(drawing: Drawing, places: Mapping[str, _Place], entries: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """A frame around each block that is drawn with what lies in it, where nothing else stands in the frame."""
    held: dict[str, list[str]] = {}
    for box, frames in frames_of(drawing).items():
        for frame in frames:
            held.setdefault(frame, []).append(box)
    for frame, boxes in sorted(held.items(), key=lambda item: (item[0].count("."), item[0])):
        within = max((other.count(".") for other in held if other.startswith(f"{frame}.")), default=frame.count("."))
        level = within - frame.count(".")
        room = 7.0 + 4.0 * level
        left = min(places[box].left for box in boxes) - room
        right = max(places[box].right for box in boxes) + room
        top = min(places[box].top for box in boxes) - 17 - 13 * level
        bottom = max(places[box].bottom for box in boxes) + room
        inside = set(boxes)
        if any(
            place.left < right and place.right > left and place.top < bottom and place.bottom > top
            for box, place in places.items()
            if box not in inside
        ):
            continue
        title = _short(frame.rpartition(".")[2])
        crossing = [x for (_, target), x in entries.items() if target in inside and places[target].top < top + 30]
        # The title stands where no line comes in.
        wide = _width(title, _SHAPE) * 1.16
        starts = (left + 8, right - 8 - wide)
        clear = (start for start in starts if not any(start - 5 < x < start + wide + 5 for x in crossing))
        yield (
            f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" height="{_n(bottom - top)}" rx="10" '
            f'fill="#2f855a" fill-opacity="0.05" stroke="#9fc4ae" stroke-width="1" stroke-dasharray="4 3"/>'
            f'<text x="{_n(next(clear, left + 8))}" y="{_n(top + 11)}" font-size="{_n(_SHAPE)}" fill="#2f855a">'
            f"{_text(title)}</text>"
        )


def _box_width(box: Box) -> float:
    # Bold letters are wider; and what stands for Helvetica is wider too on many machines.
    title = _width(_short(box.title), _TITLE) * 1.24
    return max(88.0, title, _width(_short(box.detail), _DETAIL) * 1.16) + 2 * _PADDING


def _width(text: str, size: float) -> float:
    return sum(_WIDTHS.get(letter, 556) for letter in text) * size / 1000


def _short(text: str) -> str:
    shown = " ".join(text.split())
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _text(text: str) -> str:
    shown = " ".join(text.split())
    return escape("".join(character if character.isprintable() else "\ufffd" for character in shown))


def _n(number: float) -> str:
    """A number with at most one digit behind the point, the same on every machine."""
    # Adding 0 makes a negative zero a plain one.
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")
