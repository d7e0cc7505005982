"""The kinds of single faults that people make in blueprints, as changes of a text with the place at fault."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from graphbuilder.text import Source
from graphbuilder.text.tree import Mapping, Scalar, Sequence
from tests.support.mutant_sites import STRUCTURE, Fault, Site, misspelt, sites

__all__ = ["FAULTS"]

_SIZES = ("units", "filters", "output_dim", "key_dim", "num_heads", "width")
_WINDOWS = ("kernel_size", "pool_size")


def _value_misspelt(wanted: Callable[[Site], bool]) -> Callable[[Source, random.Random], Iterator[Fault]]:
    """Values that are words, misspelt."""

    def make(source: Source, choose: random.Random) -> Iterator[Fault]:
        for site in sites(source):
            if isinstance(site.value, Scalar) and isinstance(site.value.value, str) and wanted(site):
                written = source.text[site.value.start : site.value.end]
                if "$" not in written and re.search("[A-Za-z]", written):
                    yield site.fault(misspelt(written, choose))

    return make


def _key_misspelt(wanted: Callable[[Site], bool]) -> Callable[[Source, random.Random], Iterator[Fault]]:
    """Keys misspelt."""

    def make(source: Source, choose: random.Random) -> Iterator[Fault]:
        for site in sites(source):
            if site.key is not None and wanted(site):
                written = source.text[site.key.start : site.key.end]
                # A key inside a node is that node's fault; a section's is nobody's.
                yield site.key_fault(misspelt(written, choose), site.node if len(site.rest) > 2 else None)

    return make


def _is_reference(site: Site) -> bool:
    return len(site.rest) >= 3 and site.rest[0] == "nodes" and site.rest[2] == "from" and "constant" not in site.rest


def _names(word: str) -> Callable[[Site], bool]:
    return lambda site: len(site.rest) == 3 and site.rest[0] == "nodes" and site.rest[2] == word


def _is_shape(site: Site) -> bool:
    return len(site.rest) == 3 and site.rest[0] == "inputs" and site.rest[2] == "shape"


def _is_kind(site: Site) -> bool:
    return len(site.rest) == 3 and site.rest[0] == "nodes" and site.rest[2] in ("layer", "op", "fuse", "block")


def _under(first: str, *depths: int) -> Callable[[Site], bool]:
    return lambda site: site.rest[0] == first and len(site.rest) in depths


def _in_training(site: Site) -> bool:
    return site.path[0] == "training" and len(site.path) > 1 and site.path[1] in ("optimizer", "loss", "metrics")


def _in_where(site: Site) -> bool:
    return site.path[0] == "compression" and "where" in site.path


def _choice(site: Site) -> bool:
    return site.argument and site.rest[2] in (
        "padding", "activation", "recurrent_activation", "data_format", "kernel_initializer", "interpolation",
        "direction", "positions", "output_activation", "align", "dtype",
    )  # fmt: skip


def _expression_names(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Params misspelt where they are used."""
    declared = set(re.findall(r"^ +(\w+): ", source.text, re.MULTILINE))
    for site in sites(source):
        if isinstance(site.value, Scalar) and isinstance(site.value.value, str) and "$" in site.value.value:
            written = source.text[site.value.start : site.value.end]
            for found in re.finditer(r"\b[a-z_]\w*", written):
                if found[0] in declared and found[0] not in ("if", "else", "not", "and", "or", "in", "index"):
                    word = misspelt(found[0], choose)
                    yield site.fault(written[: found.start()] + word + written[found.end() :])


def _wrong_type(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Arguments of a type that the argument does not take."""
    for site in sites(source):
        if not site.argument or not isinstance(site.value, Scalar):
            continue
        value = site.value.value
        written = source.text[site.value.start : site.value.end]
        if isinstance(value, bool):
            yield site.fault(choose.choice(["yes", "maybe", "[true]", "3.5"]))
        elif isinstance(value, (int, float)):
            yield site.fault(choose.choice(["many", f'"{written}"', "true", "{size: 3}", "[[1], 2]"]))
        elif isinstance(value, str) and "$" not in value:
            yield site.fault(choose.choice(["3.5", "[1, 2]", "true"]))


def _wrong_type_elsewhere(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Values of the wrong kind at the format's own keys."""
    wrong = {
        ("inputs", "shape"): ["28", "wide", "{height: 3}"],
        ("inputs", "dtype"): ["3", "[float32]", "true"],
        ("nodes", "layer"): ["3", "[Dense]", "{name: Dense}"],
        ("nodes", "from"): ["{}", "[]", "[null]"],
        ("nodes", "call"): ["training", "[1]"],
        ("nodes", "when"): ["sometimes", "3", "[true]"],
        ("nodes", "repeat"): ["often", "2.5", "[3]"],
    }
    for site in sites(source):
        if len(site.rest) == 3 and (site.rest[0], site.rest[2]) in wrong:
            yield site.fault(choose.choice(wrong[str(site.rest[0]), str(site.rest[2])]))
        elif len(site.path) == 2 and site.path[0] == "training":
            yield site.fault({"epochs": "few", "batch_size": "[3]", "loss": "3", "optimizer": "[adam]",
                              "metrics": "3"}.get(str(site.path[1]), "{a: 1}"))  # fmt: skip
        elif site.rest == ("outputs",) and isinstance(site.value, Scalar):
            yield site.fault(choose.choice(["3", "{}", "[]", "[1]"]))
        elif len(site.rest) == 2 and site.rest[0] == "nodes" and isinstance(site.value, Mapping) and site.value.flow:
            yield site.fault(choose.choice(["Dense", "3", "[Dense]"]))


def _broken_lists(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Lists of inputs with one taken out, or one too many for a layer that takes a fixed number."""
    for site in sites(source):
        if _names("from")(site) and isinstance(site.value, Sequence) and len(site.value.items) > 1:
            items = [source.text[item.start : item.end] for item in site.value.items]
            gone = choose.randrange(len(items))
            yield site.fault(f"[{', '.join(items[:gone] + items[gone + 1 :])}]")
            yield site.fault(f"[{', '.join([*items, 'nowhere'])}]")
        elif _names("from")(site) and isinstance(site.value, Scalar):
            yield site.fault(f"[{source.text[site.value.start : site.value.end]}, nowhere]")


def _circles(source: Source, choose: random.Random) -> Iterator[Fault]:
    """References turned to the node itself."""
    for site in sites(source):
        if _is_reference(site) and isinstance(site.value, Scalar) and site.node is not None:
            yield site.fault(site.node)


def _needless_numbers(source: Source, choose: random.Random) -> Iterator[Fault]:
    """References to an output that a node does not have."""
    for site in sites(source):
        if _is_reference(site) and isinstance(site.value, Scalar) and isinstance(site.value.value, str):
            yield site.fault(f"{source.text[site.value.start : site.value.end]}.7")


def _deleted(source: Source, site: Site) -> tuple[int, int]:
    """The stretch of an entry with its comma or its line."""
    assert site.key is not None
    start, end = site.key.start, site.value.end
    text = source.text
    if isinstance(site.holder, Mapping) and site.holder.flow:
        if text[end : end + 2] == ", ":
            return start, end + 2
        return (start - 2, end) if text[start - 2 : start] == ", " else (start, end)
    begin = text.rfind("\n", 0, start) + 1
    finish = text.find("\n", end)
    return begin, len(text) if finish < 0 else finish + 1


def _missing(wanted: Callable[[Site], bool]) -> Callable[[Source, random.Random], Iterator[Fault]]:
    """Entries left out; the fault is the node's, at its own key."""

    def make(source: Source, choose: random.Random) -> Iterator[Fault]:
        for site in sites(source):
            if site.key is None or not wanted(site) or not isinstance(site.holder, Mapping):
                continue
            start, end = _deleted(source, site)
            at = end
            if len(site.path) > 1:
                outer = source.position(site.path[:-1], key=True)
                at = source.lines.offset(outer.line, outer.column)
            # Without an argument that has a default, sizes may meet otherwise further down.
            yield Fault(start, end, "", at, site.node, meeting=site.argument)

    return make


def _missing_reference(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Nodes left out that others name: the fault is at the first reference to them."""
    everything = list(sites(source))
    for site in everything:
        if len(site.rest) != 2 or site.rest[0] != "nodes":
            continue
        scope = site.path[: len(site.path) - 2]
        uses = [
            other
            for other in everything
            if (_is_reference(other) or _names("reuse")(other) or other.rest[0] == "outputs")
            and other.path[: len(scope)] == scope
            and isinstance(other.value, Scalar)
            and str(other.value.value).split(".")[0] == site.rest[1]
        ]
        if uses:
            start, end = _deleted(source, site)
            yield Fault(start, end, "", uses[0].value.start, uses[0].node)


def _duplicates(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Entries that stand twice."""
    for site in sites(source):
        if site.key is None or not isinstance(site.holder, Mapping) or not isinstance(site.value, (Scalar, Sequence)):
            continue
        if "\n" in source.text[site.key.start : site.value.end]:
            continue
        start, end = _deleted(source, site)
        entry = source.text[site.key.start : site.value.end]
        if site.holder.flow:
            yield Fault(site.value.end, site.value.end, f", {entry}", site.value.end, site.node)
        else:
            line = source.text[start:end]
            line = line if line.endswith("\n") else f"{line}\n"
            yield Fault(end, end, line, end, site.node)


def _illegal_sizes(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Sizes that no layer can have."""
    for site in sites(source):
        if site.argument and isinstance(site.value, Scalar) and type(site.value.value) in (int, float):
            yield site.fault(choose.choice(["0", "-3", "-1"]))
        elif len(site.rest) == 4 and site.rest[0] == "inputs" and site.rest[2] == "shape":
            yield site.fault(choose.choice(["0", "-3", "2.5"]))


def _large_windows(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Windows larger than any image."""
    for site in sites(source):
        if site.argument and site.rest[2] in _WINDOWS:
            yield site.fault(choose.choice(["999", "[3, 3, 3, 3]"]))


def _wrong_ranks(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Inputs with an axis more or less."""
    for site in sites(source):
        if _is_shape(site) and isinstance(site.value, Sequence):
            items = [source.text[item.start : item.end] for item in site.value.items]
            yield site.fault(f"[{', '.join([*items, '5'])}]", meeting=True)
            yield site.fault(f"[{', '.join(items[:-1])}]", meeting=True)


def _unequal_sizes(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Sizes that another node needs otherwise."""
    for site in sites(source):
        if not site.argument or site.rest[2] not in _SIZES or not isinstance(site.value, Scalar):
            continue
        value = site.value.value
        if isinstance(value, int) and not isinstance(value, bool):
            yield site.fault(str(value + 1), meeting=True)
        elif isinstance(value, str) and re.fullmatch(r"\$\w+", value):
            yield site.fault(f"$({value[1:]} + 1)", meeting=True)


def _lines(source: Source) -> Iterator[tuple[int, int, str]]:
    """The lines that hold one entry of a mapping in block style: offset, indentation, text."""
    starts: set[int] = set()
    for site in sites(source):
        if site.key is not None and isinstance(site.holder, Mapping) and not site.holder.flow:
            starts.add(source.text.rfind("\n", 0, site.key.start) + 1)
    for begin in sorted(starts):
        finish = source.text.find("\n", begin)
        line = source.text[begin : len(source.text) if finish < 0 else finish]
        yield begin, len(line) - len(line.lstrip()), line


def _indentation(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Lines pushed to the right or to the left."""
    for begin, indent, _ in _lines(source):
        if indent:
            by = choose.choice([-2, -1, 1, 2])
            yield Fault(begin, begin + indent, " " * max(indent + by, 0), begin, None)


def _tabs(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Lines indented with a tab."""
    for begin, indent, _ in _lines(source):
        if indent:
            yield Fault(begin, begin + indent, "\t", begin, None)


def _punctuation(source: Source, choose: random.Random) -> Iterator[Fault]:
    """Brackets, commas, colons and quotes left out."""
    for begin, _, line in _lines(source):
        marks = [index for index, letter in enumerate(line) if letter in "{}[]"]
        marks += [found.start() for found in re.finditer(r'(?<=\w), (?=\w+: )|: (?=\S)|"', line)]
        if marks:
            at = choose.choice(marks)
            yield Fault(begin + at, begin + at + 1, "", begin + at, None)


FAULTS: dict[str, Callable[[Source, random.Random], Iterator[Fault]]] = {
    "reference misspelt": _value_misspelt(_is_reference),
    "layer misspelt": _value_misspelt(_names("layer")),
    "op misspelt": _value_misspelt(_names("op")),
    "fusion misspelt": _value_misspelt(_names("fuse")),
    "block misspelt": _value_misspelt(_names("block")),
    "reuse misspelt": _value_misspelt(_names("reuse")),
    "output misspelt": _value_misspelt(_under("outputs", 1, 2)),
    "where misspelt": _value_misspelt(_in_where),
    "training name misspelt": _value_misspelt(_in_training),
    "choice misspelt": _value_misspelt(_choice),
    "dtype misspelt": _value_misspelt(lambda site: site.rest[-1] == "dtype" and site.rest[0] == "inputs"),
    "modality misspelt": _value_misspelt(lambda site: site.rest[-1] == "modality" and site.rest[0] == "inputs"),
    "param misspelt": _expression_names,
    "argument misspelt": _key_misspelt(lambda site: site.argument),
    "node's key misspelt": _key_misspelt(
        lambda site: len(site.rest) == 3 and site.rest[0] == "nodes" and site.rest[2] in STRUCTURE
    ),
    "input's key misspelt": _key_misspelt(_under("inputs", 3)),
    "section misspelt": _key_misspelt(lambda site: len(site.path) == 1),
    "block's key misspelt": _key_misspelt(lambda site: site.path[0] == "blocks" and len(site.path) == 3),
    "training key misspelt": _key_misspelt(lambda site: site.path[0] == "training" and len(site.path) == 2),
    "pass's key misspelt": _key_misspelt(lambda site: site.path[0] == "compression" and len(site.path) == 3),
    "param's key misspelt": _key_misspelt(_under("params", 3)),
    "argument of another type": _wrong_type,
    "key of another type": _wrong_type_elsewhere,
    "inputs too few or many": _broken_lists,
    "feeds itself": _circles,
    "no such output": _needless_numbers,
    "node missing": _missing_reference,
    "argument missing": _missing(lambda site: site.argument),
    "node's key missing": _missing(_is_kind),
    "shape missing": _missing(_is_shape),
    "version missing": _missing(lambda site: site.path == ("blueprint",)),
    "key twice": _duplicates,
    "size impossible": _illegal_sizes,
    "window too large": _large_windows,
    "rank wrong": _wrong_ranks,
    "size unequal": _unequal_sizes,
    "indentation": _indentation,
    "tab": _tabs,
    "punctuation": _punctuation,
}
