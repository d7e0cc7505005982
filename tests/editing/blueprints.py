"""Blueprints written in many ways, and what a merge makes of them as data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

__all__ = ["Written", "data_merge", "explicit", "written_blueprints"]

INPUTS = ("left", "right")
NAMES = ("conv", "norm", "code_1", "text-code", "head", "attention_scores", "b2", "stem")


@dataclass(frozen=True)
class Written:
    """A blueprint as its author wrote it.

    Arguments:
        name: the file's name.
        text: the text.
        data: what it says.
        branches: what is to be merged.
    """

    name: str
    text: str
    data: dict[str, Any]
    branches: list[str]


@st.composite
def nodes(draw: st.DrawFn) -> dict[str, Any]:
    """Nodes that all give (batch, 4), so that everything fits everything."""
    found: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=7, unique=True)):
        known = st.sampled_from([*INPUTS, *found])
        kind = draw(st.sampled_from(["Dense", "Dense", "Add", "multiply", "mapping"]))
        several = draw(st.lists(known, min_size=2, max_size=4))
        node: dict[str, Any]
        if kind == "Dense":
            node = {"layer": "Dense", "units": 4}
            if not found or draw(st.booleans()):
                node["from"] = draw(known)
        elif kind == "Add":
            node = {"layer": "Add", "from": several}
        elif kind == "multiply":
            node = {"op": "multiply", "from": several[:2]}
        else:
            node = {"op": "multiply", "from": {"x1": several[0], "x2": draw(st.sampled_from([several[1], 2.0]))}}
        if draw(st.booleans()):
            node["about"] = draw(st.sampled_from(["plain", "with, comma", "it's # no comment", "a: b"]))
        order = list(node)
        if draw(st.booleans()):
            order.reverse()
        found[name] = {key: node[key] for key in order}
    return found


@st.composite
def written_blueprints(draw: st.DrawFn) -> Written:
    made = draw(nodes())
    known = [*INPUTS, *made]
    branches = draw(st.lists(st.sampled_from(known), min_size=2, max_size=3, unique=True))
    data: dict[str, Any] = {
        "blueprint": 1,
        "inputs": {name: {"shape": [4]} for name in INPUTS},
        "nodes": made,
    }
    reference = st.sampled_from(known)
    outputs = draw(
        st.one_of(
            st.none(),
            reference,
            st.lists(reference, min_size=1, max_size=3),
            st.dictionaries(st.sampled_from(["p", "q", "r"]), reference, min_size=1, max_size=3),
        )
    )
    if outputs is not None:
        data["outputs"] = outputs
    if draw(st.booleans()):
        data["training"] = {"epochs": 3}
    syntax = draw(st.sampled_from(["yaml", "yaml", "yaml", "json"]))
    text = draw(json_text(data)) if syntax == "json" else draw(yaml_text(data))
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    end = draw(st.sampled_from(["", "\n", "\n\n"]))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    return Written(f"model.{syntax}", mark + (text + end).replace("\n", newline), data, branches)


@st.composite
def json_text(draw: st.DrawFn, data: dict[str, Any]) -> str:
    indent = draw(st.sampled_from([None, 2, 4, "\t", "nodes"]))
    if indent != "nodes":
        separators = draw(st.sampled_from([None, (",", ":")])) if indent is None else None
        return json.dumps(data, indent=indent, separators=separators, ensure_ascii=False)
    lines = [f'    "{name}": {json.dumps(node)}' for name, node in data["nodes"].items()]
    marked = json.dumps({**data, "nodes": "@"}, indent=2)
    return marked.replace('"@"', "{\n" + ",\n".join(lines) + "\n  }")


@st.composite
def yaml_text(draw: st.DrawFn, data: dict[str, Any]) -> str:
    """The data in the ways in which people write YAML, with numbered comments anywhere."""
    count = 0
    lines: list[str] = []
    indent = " " * draw(st.sampled_from([1, 2, 4]))
    aligned = draw(st.booleans())
    apart = draw(st.booleans())
    styles = draw(st.sampled_from([["flow"], ["block"], ["flow", "block", "brace"]]))

    def comment(margin: str = "") -> None:
        nonlocal count
        if draw(st.integers(0, 3)) == 0:
            count += 1
            lines.append(f"{margin}# c{count}.")

    def behind() -> str:
        nonlocal count
        if draw(st.integers(0, 3)):
            return ""
        count += 1
        return f"  # c{count}."

    def add(text: str) -> None:
        lines.append(text + behind())

    comment()
    for key, value in data.items():
        if isinstance(value, list) and draw(st.booleans()):
            add(f"{key}:")
            for each in value:
                add(f"{indent}- {flow(each)}")
            continue
        if key != "nodes":
            add(f"{key}: {flow(value)}")
            comment()
            if draw(st.booleans()):
                lines.append("")
            continue
        add("nodes:")
        wide = max(map(len, value)) if aligned else 0
        for number, (name, node) in enumerate(value.items()):
            if apart and number:
                lines.append("")
            comment(indent)
            style = draw(st.sampled_from(styles))
            gap = " " * max(1, wide - len(name) + 1)
            if style == "flow":
                add(f"{indent}{name}:{gap}{flow(node)}")
            elif style == "brace":
                add(f"{indent}{name}: {{")
                items = list(node.items())
                for index, (inner, item) in enumerate(items):
                    last = index == len(items) - 1
                    comma = draw(st.sampled_from(["", ","])) if last else ","
                    add(f"{indent * 2}{inner}: {flow(item)}{comma}")
                add(f"{indent}}}")
            else:
                add(f"{indent}{name}:")
                for inner, item in node.items():
                    if isinstance(item, list) and draw(st.booleans()):
                        add(f"{indent * 2}{inner}:")
                        for each in item:
                            add(f"{indent * 2}- {flow(each)}")
                    else:
                        add(f"{indent * 2}{inner}: {flow(item)}")
                comment(indent * 2)
        comment()
    return "\n".join(lines)


def flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and not value.replace("_", "").replace("-", "").isalnum():
        return json.dumps(value)
    return str(value)


def explicit(data: dict[str, Any]) -> dict[str, Any]:
    """The same model with every `from` and the outputs written out."""
    made: dict[str, Any] = {}
    above = None
    for name, node in data["nodes"].items():
        made[name] = {**node, "from": node.get("from", above)}
        above = name
    return {**data, "nodes": made, "outputs": data.get("outputs", above)}


def data_merge(written: Written, strategy: str, rewire: bool) -> dict[str, Any]:
    """What the merge makes of the explicit data: the rule, stated a second time and simply."""
    branches = written.branches
    before = explicit(written.data)
    made, outputs = before["nodes"], before["outputs"]

    def leaves(value: Any) -> list[str]:
        if isinstance(value, dict):
            value = list(value.values())
        return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]

    def feeds(name: str) -> bool:
        """Whether a node is one of the branches, or feeds one."""
        takers = [other for other, node in made.items() if name in leaves(node["from"])]
        return name in branches or any(map(feeds, takers))

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: replaced(item) for key, item in value.items()}
        if isinstance(value, list):
            return [replaced(item) for item in value]
        return "merged" if value in branches else value

    def shortened(value: list[Any]) -> list[Any]:
        first = next(index for index, item in enumerate(value) if item in branches)
        others = [item for item in value if item not in branches]
        place = len([item for item in value[:first] if item not in branches])
        return [*others[:place], "merged", *others[place:]]

    def different(value: Any) -> int:
        return len({leaf for leaf in leaves(value) if leaf in branches})

    after = max((list(made).index(branch) for branch in branches if branch in made), default=-1) + 1
    anyone = any(different(node["from"]) for node in made.values()) or bool(different(outputs))
    if rewire:
        for name, node in list(made.items()):
            source = node["from"]
            if feeds(name):
                continue
            if different(source) == 1:
                made[name] = {**node, "from": replaced(source)}
            elif different(source) > 1 and node.get("layer") == "Add" and len(shortened(source)) > 1:
                made[name] = {**node, "from": shortened(source)}
        if different(outputs) == 1:
            outputs = replaced(outputs)
        elif different(outputs) > 1 and isinstance(outputs, list):
            outputs = shortened(outputs)
        elif not anyone and "outputs" not in written.data and after == len(made):
            outputs = "merged"
    entries = list(made.items())
    entries.insert(after, ("merged", {"fuse": strategy, "from": branches}))
    return {**before, "nodes": dict(entries), "outputs": outputs}
