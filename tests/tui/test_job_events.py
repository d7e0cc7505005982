"""What commands write is made into lines and progress."""

from __future__ import annotations

import pytest

from graphbuilder.tui.job_events import Event, Listener, Progress, Said, clean_line, gathered


def said(events: list[Event]) -> str:
    return "\n".join(line for event in events if isinstance(event, Said) for line in event.lines)


def heard(command: str, output: bytes = b"", errors: bytes = b"", step: int = 7) -> list[Event]:
    """What a listener makes of what comes in small pieces."""
    listener = Listener(command, {})
    events: list[Event] = []
    for stream, error in ((output, False), (errors, True)):
        for at in range(0, len(stream), step):
            events += listener.hear(stream[at : at + step], error=error)
    return [*events, *listener.end()]


@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_epochs_are_progress(step: int) -> None:
    output = (
        b'{"event": "epoch", "epoch": 1, "epochs": 2, "loss": 0.5, "accuracy": 0.75, "seconds": 1.5}\n'
        b'{"event": "done", "output": "a.keras", "parameters": 1234, "evaluated_on": "x", "evaluation": {"loss": 1}}\n'
    )
    assert heard("train", output, step=step) == [
        Said(("epoch 1/2  loss 0.5  accuracy 0.75",)),
        Progress("epoch 1 of 2", 0.5, (("loss", 0.5), ("accuracy", 0.75))),
        Said(("x: loss 1",)),
        Said(("a.keras: 1,234 parameters",)),
        Progress("done", 1.0),
    ]


def test_stages_and_milestones_are_progress() -> None:
    events = heard("compress", errors="Compressing tiny…\n2/4 prune\nnote: 5/4 is none\n".encode(), step=1000)
    assert [event for event in events if isinstance(event, Progress)] == [
        Progress("Compressing tiny"),
        Progress("prune", 0.25),
    ]


def test_what_looks_like_data_and_is_none_is_shown_as_it_is() -> None:
    lines = '{"event": broken\n{"event": []}\n{\n  "report": 1\n}\n[1]\nüñ\n'
    shown = said(heard("compress", lines.encode()))
    assert shown == '{"event": broken\n{"event": []}\n{\n  "report": 1\n}\n[1]\nüñ'


def test_lines_cannot_move_the_cursor() -> None:
    assert clean_line("a\x1b[2Jb\x1b]0;title\x07c\x1b(Bd\x9be\u202ef") == "abcd\ufffde\ufffdf"
    assert clean_line("10%\r20%\r\n".rstrip("\n")) == "20%"
    assert len(clean_line("x" * 100_000)) < 5_000
    assert said(heard("train", b"\xff\xfe raw\n")) == "\ufffd\ufffd raw"


def test_a_line_without_an_end_takes_no_memory() -> None:
    listener = Listener("train", {})
    for _ in range(100):
        assert list(listener.hear(b"x" * 64_000, error=True)) == []
    (event,) = listener.end()
    assert isinstance(event, Said)


def test_what_comes_together_is_told_together() -> None:
    epochs: list[Event] = []
    for number in range(1, 101):
        epochs += [Said((f"epoch {number}",)), Progress(f"epoch {number}", number / 100)]
    told = gathered([*epochs, Said(("a note",), error=True), Said(("the end",))])
    assert told == [
        Said(tuple(f"epoch {number}" for number in range(1, 101))),
        Said(("a note",), error=True),
        Said(("the end",)),
        Progress("epoch 100", 1.0),
    ]
    assert gathered([]) == []
