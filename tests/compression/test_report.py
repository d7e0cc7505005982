"""A report loads as it was saved, and reads well as text and as a page that runs nothing."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from graphbuilder.compression.report import Histogram, Report, Stage, load_report, save_report
from graphbuilder.compression.report_html import report_html, save_html
from graphbuilder.compression.report_plots import histogram, size_against_accuracy, sparsity_bars, ticks
from graphbuilder.compression.report_text import bytes_text, report_lines
from graphbuilder.errors import BlueprintError
from tests.support.reports import sample_report


def test_a_report_loads_as_it_was_saved(tmp_path: Path) -> None:
    report = sample_report()
    path = save_report(report, tmp_path / "report.json")
    assert load_report(path) == report
    assert save_report(report, tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["again.json", "report.json"]


def test_numbers_that_are_none_survive(tmp_path: Path) -> None:
    report = sample_report()
    broken = report.stages[1].model_copy(update={"seconds": float("inf")})
    changed = report.model_copy(update={"stages": (report.stages[0], broken)})
    assert load_report(save_report(changed, tmp_path / "report.json")) == changed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "is no compression report"),
        ('{"stages": []}', "is no compression report"),
        ('{"schema_version": 2}', "is of version 2; expected schema_version 1"),
        ('{"schema_version": 1, "name": "a", "stages": [{"name": "b", "skips": [{"node": 1}]}]}', "stages.0.skips.0"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(BlueprintError, match=re.escape(message)):
        load_report(path)


def test_fields_of_a_later_graphbuilder_are_let_be(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"schema_version": 1, "name": "a", "stages": [], "mood": "good"}')
    assert load_report(path) == Report(name="a", stages=())


def test_the_text_says_what_was_done_and_what_was_not() -> None:
    lines = report_lines(sample_report())
    text = "\n".join(lines)
    assert "  quantize int8, aware in training  158.5 kB   38.1 kB    14.7×  0.9956  0.9933  0.12" in lines
    assert "  norm by prune 80 %: it has no kernel" in lines
    assert "Keras and TFLite: accuracy of answer on 450 samples." in lines
    assert "1 thread(s), ai-edge-litert 2.3.0" in text
    assert max(map(len, lines)) <= 110


def test_a_report_of_nothing_measured_reads_too(tmp_path: Path) -> None:
    report = Report(name="bare", stages=(Stage(name="as it was"),))
    assert any("as it was" in line for line in report_lines(report))
    assert "as it was" in save_html(report, tmp_path / "report.html").read_text()
    assert size_against_accuracy(report) is None
    assert sparsity_bars(()) is None


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    page = report_html(sample_report())
    tags: set[str] = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert not {name for name, _ in attrs} & {"src", "href", "onload", "onclick"}

    Tags().feed(page)
    assert not tags & {"script", "link", "img", "iframe", "object"}
    assert "<attention>" not in page
    assert "encoder.2.&lt;attention&gt;" in page
    assert "default-src 'none'" in page


def test_every_plot_is_well_formed_and_within_its_frame() -> None:
    page = report_html(sample_report())
    plots = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(plots) == 1 + 3 + 4 * 3
    for plot in plots:
        root = ElementTree.fromstring(plot)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for element in root.iter():
            for name, limit in (
                ("x", width),
                ("x1", width),
                ("x2", width),
                ("cx", width),
                ("y", height),
                ("cy", height),
            ):
                if name in element.attrib:
                    assert -0.5 <= float(element.attrib[name]) <= limit + 0.5, (element.attrib, plot[:200])
            for point in element.attrib.get("points", "").split():
                x, y = map(float, point.split(","))
                assert -0.5 <= x <= width + 0.5
                assert -0.5 <= y <= height + 0.5


def test_labels_of_equal_points_keep_apart() -> None:
    report = sample_report()
    same = tuple(report.stages[0] for _ in range(4))
    plot = size_against_accuracy(report.model_copy(update={"stages": same}))
    assert plot is not None
    lines = re.findall(r'y="([\d.]+)"[^>]*class="label"', plot)
    assert len(set(lines)) == 4


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0.98, 1.0, [0.98, 0.985, 0.99, 0.995, 1]), (5, 5, [5])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_histograms_of_odd_arrays() -> None:
    assert Histogram.of(np.array([])) is None
    assert Histogram.of(np.array([1.0, np.nan])) is None
    one = Histogram.of(np.full(5, 2.0))
    assert one is not None
    assert sum(one.counts) == 5
    ElementTree.fromstring(histogram(one, None, "a <b>"))


def test_bytes_read_well() -> None:
    assert [bytes_text(count) for count in (0, 999, 1_000, 999_949, 1_000_000, 2_500_000_000)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "999.9 kB",
        "1.0 MB",
        "2.50 GB",
    ]
