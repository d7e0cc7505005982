"""What `graphbuilder explain` prints for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from graphbuilder.analysis.explain_alternatives import Alternative
from graphbuilder.analysis.explain_fusion import ExplainedAdapter, ExplainedBranch, ExplainedFusion
from graphbuilder.analysis.explain_model import ExplainedArgument, Explanation, Link
from graphbuilder.analysis.summary import CallSummary
from graphbuilder.catalog import TensorType, shape_text
from graphbuilder.catalog.arguments import as_written
from graphbuilder.cli.output import bold, encodes, terminal_width
from graphbuilder.cli.show_text import amount
from graphbuilder.cli.table import Column, layout
from graphbuilder.graph import Origin, Value

__all__ = ["print_explanation"]

_LABEL = 12

# How many of something are told before the rest is counted.
_NAMES = 8
_WEIGHTS = 12
_ROWS = 16
_OTHERS = 6

_NO_BREAK = "\N{NO-BREAK SPACE}"

_NODES = {"input": "an input", "layer": "a layer", "op": "an op", "fusion": "a fusion", "block": "a block"}


def print_explanation(explained: Explanation, file: str) -> None:
    """Prints an explanation.

    Arguments:
        explained: the node's.
        file: the blueprint, as it was named on the command line.
    """
    width = terminal_width()
    lines = [*_head(explained, width), "", *_facts(explained, width)]
    if explained.fusion is not None:
        lines += _fusion(explained, explained.fusion, file, width)
    elif len(explained.calls) > 1:
        lines += ["", *_table("nodes inside", explained.calls, explained.name, width)]
    lines = [line.replace(_NO_BREAK, " ") for line in lines]
    if not encodes("→×…"):
        lines = [line.replace("→", "->").replace("×", "x").replace("…", "...") for line in lines]
    for line in lines:
        print(line)


def _head(explained: Explanation, width: int) -> Iterator[str]:
    kind = explained.kind if explained.node != "input" else None
    article = _NODES.get(explained.node, "a part of a fusion")
    yield bold(f"{explained.name}: {f'{kind}, {article}' if kind else article}")
    yield ""
    if explained.about:
        yield from textwrap.wrap(" ".join(explained.about.split()), width)
        yield ""
    for paragraph in explained.does:
        yield from textwrap.wrap(paragraph, width)
    if explained.fusion is not None and explained.fusion.source:
        yield from textwrap.wrap(f"Source: {explained.fusion.source}", width, break_on_hyphens=False)


def _facts(explained: Explanation, width: int) -> Iterator[str]:
    for label, texts in _labelled(explained):
        first = True
        for text in texts:
            yield from textwrap.wrap(
                text,
                width,
                initial_indent=f"{label if first else '':{_LABEL}}",
                subsequent_indent=" " * (_LABEL + (2 if len(texts) > 1 else 0)),
                break_on_hyphens=False,
            )
            first = False


def _labelled(explained: Explanation) -> Iterator[tuple[str, list[str]]]:
    """The facts: a label and its lines, none for what there is nothing to tell of."""
    if explained.origin is not None:
        used = [f"used at {_place(explained.used)}"] if explained.used is not None else []
        yield "written", [_place(explained.origin), *used]
    if explained.part_of:
        yield "inside", [", ".join(explained.part_of)]
    if explained.reason is not None:
        yield "why", [explained.reason]
    yield from _values(explained)
    if explained.weights is None:
        yield "parameters", ["unknown"]
    elif explained.shares is not None:
        yield "parameters", [f"those of {explained.shares}, whose weights it uses again"]
    elif explained.node != "input":
        yield "parameters", _parameters(explained)
    if explained.shared_by:
        yield "shared by", [_listed(explained.shared_by)]
    if explained.node != "input":
        yield "MACs", ["unknown" if explained.macs is None else amount(explained.macs) if explained.macs else "none"]
    yield from _arguments(explained.arguments)
    chains = [chain for chain in explained.chains if len(chain) > 1]
    if chains:
        yield "came from", [_chain(chain) for chain in chains]


def _values(explained: Explanation) -> Iterator[tuple[str, list[str]]]:
    """What it is given, what it gives, and to whom."""
    if explained.inputs and explained.fusion is None:
        several = len(explained.inputs) > 1
        given = []
        for each in explained.inputs:
            port = f"{each.port}: " if several and explained.node in ("layer", "op") else ""
            masked = ", masked" if each.masked else ""
            given.append(f"{port}{each.value} {_type(each.type)}{masked}, {_article(each.giver)}")
        yield "given", given
    yield "gives", [_gives(value, len(explained.outputs) > 1) for value in explained.outputs]
    to = [_listed(explained.consumers)] if explained.consumers else []
    if explained.is_output:
        to.append("an output of the model")
    yield "read by", [" and ".join(to) or "nothing"]


def _gives(value: Value, several: bool) -> str:
    name = f"{value.name} " if several else ""
    masked = ", masked" if value.masked else ""
    senses = f", from {_and(value.modalities)}" if value.modalities else ""
    return f"{name}{_type(value.type)}{masked}{senses}"


def _parameters(explained: Explanation) -> list[str]:
    assert explained.weights is not None
    if explained.parameters == 0:
        return ["none"]
    fixed = (explained.parameters or 0) - (explained.trainable or 0)
    told = [f"{explained.parameters:,}, {f'{fixed:,} of them not trainable' if fixed else 'all trainable'}"]
    if explained.node in ("layer", "op"):
        shown = explained.weights[:_WEIGHTS]
        told += [f"{weight.name} {shape_text(weight.shape)}: {weight.size:,}" for _, weight in shown]
        if len(explained.weights) > len(shown):
            told.append(f"and {len(explained.weights) - len(shown)} more")
    return told


def _arguments(arguments: Sequence[ExplainedArgument]) -> Iterator[tuple[str, list[str]]]:
    own = [each for each in arguments if not each.default]
    if own:
        told = [f"{each.name}: {_value(each.value)}" + (f"  ({each.about})" if each.about else "") for each in own]
        yield "arguments", told
    defaults = [f"{each.name}: {_value(each.value)}" for each in arguments if each.default]
    if defaults:
        yield "defaults", [", ".join(defaults)]


def _value(value: object) -> str:
    return value if isinstance(value, str) and value.replace("_", "").isalnum() else as_written(value)


def _chain(chain: Sequence[Link]) -> str:
    # A line is broken between links, not within one.
    links = [link.name if not link.kind else f"{link.name} {_type(link.type)}" for link in chain]
    return " → ".join(link.replace(" ", _NO_BREAK) for link in links)


def _fusion(explained: Explanation, fusion: ExplainedFusion, file: str, width: int) -> Iterator[str]:
    for branch in fusion.branches:
        yield ""
        yield from _branch(branch, width)
    yield ""
    if len(fusion.own) > 1:
        yield from _table(f"what {fusion.strategy} itself adds", fusion.own, explained.name, width)
    else:
        yield bold(f"what {fusion.strategy} itself adds")
        yield from (f"  {call.name}, {call.kind}: {_costs(call.parameters, call.macs)}" for call in fusion.own)
    if "." not in explained.name:
        yield ""
        yield bold("other fusions of these branches")
        names = " ".join(branch.name for branch in fusion.branches)
        yield f"  graphbuilder merge {file} {names} --list"


def _branch(branch: ExplainedBranch, width: int) -> Iterator[str]:
    senses = _and(branch.modalities)
    role = f", the {branch.role}" if branch.role else ""
    yield bold(f"{branch.name}{role}{f', from {senses}' if senses else ''}")
    if not branch.adapters:
        told = "as you say" if branch.stated else "it fits as it is"
        yield f"  {_type(branch.arrives)} is merged without an adapter: {told}"
    else:
        yield f"  {_type(branch.arrives)} becomes {_type(branch.merged)}"
    for adapter in branch.adapters:
        yield from _adapter(adapter, width)
    if branch.alternatives:
        yield "  instead you could write"
        for other in branch.alternatives[:_OTHERS]:
            yield from _alternative(other, width)
        more = len(branch.alternatives) - _OTHERS
        if more > 0:
            yield f"    and {more} more, with --format json"


def _adapter(adapter: ExplainedAdapter, width: int) -> Iterator[str]:
    yield f"  {adapter.written} is {adapter.call}, {_article(adapter.kind)}"
    before, after = ("?" if number is None else f"{number:,}" for number in adapter.elements)
    facts = (
        ("does", adapter.does),
        ("why", adapter.reason),
        ("gives", f"{_type(adapter.gives)}; {before} numbers become {after}"),
        ("costs", _costs(adapter.parameters, adapter.macs)),
    )
    for label, text in facts:
        yield from textwrap.wrap(text, width, initial_indent=f"    {label:7}", subsequent_indent=" " * 11)


def _alternative(other: Alternative, width: int) -> Iterator[str]:
    # The line is to be copied, so it is never broken.
    yield f"    {other.written}"
    told = f"branch {_type(other.branch)}, merged {_type(other.merged)}; {_more(other.parameters, other.macs)}"
    for name, found in other.others.items():
        told += f"; {name} becomes {_type(found)}"
    yield from textwrap.wrap(told, width, initial_indent=" " * 6, subsequent_indent=" " * 6)


def _more(parameters: int | None, macs: int | None) -> str:
    """The difference in costs, in words."""
    if parameters == 0 and macs == 0:
        return "at the same cost"
    return f"{_signed(parameters, 'parameters')}, {_signed(macs, 'MACs')}"


def _signed(number: int | None, what: str) -> str:
    if number is None:
        return f"an unknown number of {what}"
    if number == 0:
        return f"as many {what}"
    shown = amount(abs(number)).replace(" ", _NO_BREAK)
    return f"{shown} {'more' if number > 0 else 'fewer'} {what}"


def _table(title: str, calls: Sequence[CallSummary], around: str, width: int) -> Iterator[str]:
    """The calls inside something, by their names below it; those of one block as one where there are too many."""
    yield bold(title)
    columns = [
        Column("node", least=12, keeps="end"),
        Column("kind", least=8, keeps="both"),
        Column("output"),
        Column("parameters", right=True),
        Column("MACs", right=True),
    ]
    inside = len(around.split("."))
    deepest = max(call.name.count(".") + 1 for call in calls)
    groups = [(call.name, [call]) for call in calls]
    while len(groups) > _ROWS and deepest > inside + 1:
        deepest -= 1
        groups = _grouped(calls, deepest)
    cells = [_row(name.removeprefix(f"{around}."), group) for name, group in groups[:_ROWS]]
    for line in layout(columns, cells, width - 2, ellipsis="…" if encodes("…") else "~", narrow_first=["kind"]):
        yield f"  {line}"
    if len(groups) > _ROWS:
        yield f"  and {len(groups) - _ROWS} more, with `graphbuilder show --depth 0`"


def _grouped(calls: Iterable[CallSummary], depth: int) -> list[tuple[str, list[CallSummary]]]:
    """Calls that stand together and have the first segments of their paths in common."""
    groups: list[tuple[str, list[CallSummary]]] = []
    for call in calls:
        path = ".".join(call.name.split(".")[:depth])
        if not groups or groups[-1][0] != path:
            groups.append((path, []))
        groups[-1][1].append(call)
    return groups


def _row(name: str, calls: Sequence[CallSummary]) -> list[str]:
    last = calls[-1]
    kind = last.kind if len(calls) == 1 else f"{len(calls)} nodes"
    parameters = [call.parameters for call in calls]
    macs = [call.macs for call in calls]
    known = sum(number for number in parameters if number is not None)
    shared = not known and any(call.shares for call in calls)
    costs = "shared" if shared else "?" if None in parameters else f"{known:,}"
    work = "?" if None in macs else amount(sum(number for number in macs if number is not None))
    return [name, kind, _type(last.outputs[0]), costs, work]


def _place(origin: Origin) -> str:
    position = origin.position(key=True)
    return f"{origin.source.name}:{position.line}:{position.column}"


def _costs(parameters: int | None, macs: int | None) -> str:
    told = "unknown" if parameters is None else f"{parameters:,}" if parameters else "no"
    return f"{told} parameters, {'unknown' if macs is None else amount(macs) if macs else 'no'} MACs"


def _article(kind: str) -> str:
    if kind in ("input", "constant"):
        return f"{'an' if kind == 'input' else 'a'} {kind}"
    return kind


def _type(found: TensorType | None) -> str:
    return "unknown" if found is None else str(found)


def _and(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), *words[-1:]])


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - _NAMES} more" if len(known) > _NAMES else ""
    return ", ".join(known[:_NAMES]) + more
