"""Parts of a document that stand one level too deep or too shallow: each is one fault, whatever follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphbuilder.catalog.refusals import Refusal

__all__ = ["with_misplaced"]

Path = tuple[str | int, ...]
# What a file or a block is made of, where indentation is most easily lost.
_SECTIONS = ("params", "inputs", "nodes", "outputs", "taps")


def with_misplaced(found: Sequence[Refusal], data: Mapping[str, Any]) -> list[Refusal]:
    """The refusals of a document, those that come of one wrong indentation told as one.

    Arguments:
        found: what was refused.
        data: the document.

    Example:
        >>> both = [Refusal("GB204", ("params",), "params is null", "null", "a mapping"),
        ...         Refusal("GB201", ("units",), "units is not known here", on_key=True)]
        >>> [refusal.message for refusal in with_misplaced(both, {"params": None, "units": 3})]
        ['units stands beside params, which holds nothing']
    """
    kept = list(found)
    for refusal, places in (*_swallowed(found, data), *_fallen_out(found, data), *_below_nothing(found, data)):
        unexplained = [other for other in kept if not _inside(other.path, places)]
        if len(unexplained) < len(kept):
            kept = [*unexplained, refusal]
    return kept


def _inside(path: Path, places: Sequence[Path]) -> bool:
    """Whether a path leads to one of the places, or into one."""
    return any(path[: len(place)] == place for place in places)


def _scopes(data: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The file and its blocks."""
    yield (), data
    blocks = data.get("blocks")
    if isinstance(blocks, Mapping):
        yield from ((("blocks", name), block) for name, block in blocks.items() if isinstance(block, Mapping))


def _swallowed(found: Sequence[Refusal], data: Mapping[str, Any]) -> Iterator[tuple[Refusal, tuple[Path, ...]]]:
    """A section indented so deep that it is inside the section above it: `nodes` among the inputs."""
    paths = [refusal.path for refusal in found]
    for where, scope in _scopes(data):
        for section, held in scope.items():
            if section not in _SECTIONS or not isinstance(held, Mapping):
                continue
            for name in held:
                place = (*where, section, name)
                wanted = name in _SECTIONS and name not in scope
                if wanted and any(path == (*where, name) or _inside(path, [place]) for path in paths):
                    hint = f"give it the indentation of {section}"
                    fault = Refusal("GB201", place, f"{name} stands inside {section}", name, None, hint, True)
                    # If it holds nothing, what it should hold stands below it, in the wrong section.
                    names = list(held)
                    below = names[names.index(name) + 1 :] if held[name] is None else []
                    yield fault, (place, (*where, name), *((*where, section, other) for other in below))


def _fallen_out(found: Sequence[Refusal], data: Mapping[str, Any]) -> Iterator[tuple[Refusal, tuple[Path, ...]]]:
    """A section of a block that stands beside the block, as if it were another one."""
    blocks = data.get("blocks")
    if not isinstance(blocks, Mapping):
        return
    above: str | None = None
    for name in blocks:
        place = ("blocks", name)
        fails = any(_inside(refusal.path, [place]) for refusal in found)
        if above is not None and fails and name in _SECTIONS and name not in (blocks[above] or ()):
            hint = f"indent it like what else belongs to {above}"
            fault = Refusal("GB201", place, f"{name} stands beside the block {above}", name, None, hint, True)
            yield fault, (place, ("blocks", above, name))
        else:
            above = name if isinstance(blocks[name], Mapping) else None


def _below_nothing(found: Sequence[Refusal], data: Mapping[str, Any]) -> Iterator[tuple[Refusal, tuple[Path, ...]]]:
    """A key that holds nothing, and below it what it should hold."""
    for refusal in found:
        if refusal.found != "null" or not refusal.path or not (refusal.expected or "").startswith("a mapping"):
            continue
        *holder, empty = refusal.path
        inside: Any = data
        for step in holder:
            inside = inside[step]
        names = list(inside) if isinstance(inside, Mapping) else []
        below: list[Path] = []
        for name in names[names.index(empty) + 1 :] if empty in names else ():
            place = (*holder, name)
            if not any(_inside(other.path, [place]) for other in found):
                break
            below.append(place)
        unknown = [other for other in found if other.code == "GB201" and other.path in below]
        if below and unknown and unknown[0].path == below[0]:
            message = f"{below[0][-1]} stands beside {empty}, which holds nothing"
            hint = f"indent it deeper than {empty}, with what else belongs there"
            yield Refusal("GB201", below[0], message, str(below[0][-1]), None, hint, True), (refusal.path, *below)
        elif below:
            message = f"{empty} holds nothing"
            hint = "indent what belongs to it deeper than its own line"
            fault = Refusal(refusal.code, refusal.path, message, "null", refusal.expected, hint, True)
            yield fault, (refusal.path, *below)
