"""From text to documents: the schema checked, imports followed, everything wrong reported together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from graphbuilder.blueprint.document import BlockPlace, Document
from graphbuilder.blueprint.misplaced import with_misplaced
from graphbuilder.blueprint.revalidating import validated
from graphbuilder.blueprint.schema import (
    Block,
    BlockNode,
    Blueprint,
    BudgetSpec,
    InputSpec,
    Node,
    Param,
    PortSpec,
    ReuseNode,
    Training,
)
from graphbuilder.blueprint.shipped import NAMESPACES, RESERVED, block_path, blocks_in, blueprint_path
from graphbuilder.blueprint.version import version_problem
from graphbuilder.catalog.refusals import Refusal, refusals
from graphbuilder.errors import BlueprintError, Diagnostic, Hint, Related, suggestion
from graphbuilder.limits import limit, raising_hint
from graphbuilder.text import Source, TextLimits, parse, read
from graphbuilder.text.owner import owner

__all__ = ["ImportLimits", "load", "load_shipped", "load_source", "parse_blueprint"]

# How a required key is written, for the message that it is missing.
_EXAMPLES = {
    "shape": "such as shape: [224, 224, 3], without the batch axis",
    "pass": "such as pass: prune",
    "inputs": "a block's input ports, such as inputs: [x]",
    "nodes": "a block's nodes, such as nodes: {dense: {layer: Dense, units: 10}}",
}


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """How much a blueprint may import.

    Arguments:
        depth: how many imports may follow one another.
        files: how many files in all.
    """

    depth: int = field(default_factory=lambda: limit("import_depth"))
    files: int = field(default_factory=lambda: limit("imports"))


@dataclass(slots=True)
class _Loading:
    """One load: what was read so far, by resolved path, and what is wrong."""

    root: Path | None
    text_limits: TextLimits
    limits: ImportLimits
    previous: Document | None = None
    documents: dict[Path, Document] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def load(path: str | Path, *, text_limits: TextLimits | None = None, limits: ImportLimits | None = None) -> Document:
    """Reads a blueprint and everything it imports.

    Arguments:
        path: a YAML or JSON file.
        text_limits: how large and deep a text may be.
        limits: how much may be imported.

    Raises:
        BlueprintError: with everything that is wrong with the texts, the documents and the imports.
    """
    try:
        source = read(path, limits=text_limits or TextLimits())
    except BlueprintError as error:
        if blueprint_path(str(path)) is None:
            raise
        hint = f"`graphbuilder new {path}` copies the shipped blueprint of that name"
        raise BlueprintError([replace(each, hint=each.hint or hint) for each in error.diagnostics]) from error
    return load_source(source, Path(path), text_limits=text_limits, limits=limits)


def load_shipped(name: str) -> BlockPlace | None:
    """The shipped block of a name such as `std.mlp` or `zoo.vgg16`; None where there is none.

    Example:
        >>> place = load_shipped("std.mlp")
        >>> place is not None and list(place.ports)
        ['x']
    """
    space, _, inner = name.partition(".")
    path = block_path(space, inner) if space in NAMESPACES else None
    return load(path).shipped_block(inner) if path is not None else None


def parse_blueprint(text: str, *, name: str = "<blueprint>", folder: Path | None = None) -> Document:
    """Reads a blueprint from a string.

    Arguments:
        text: YAML or JSON.
        name: what messages call it.
        folder: the folder that relative imports are resolved in; without it they are refused.

    Raises:
        BlueprintError: with everything that is wrong.
    """
    source = parse(text, name=name)
    return load_source(source, folder / Path(name).name if folder else None)


def load_source(
    source: Source,
    path: Path | None,
    *,
    text_limits: TextLimits | None = None,
    limits: ImportLimits | None = None,
    previous: Document | None = None,
) -> Document:
    """The document of a text that was read already, with its imports.

    Arguments:
        source: the text.
        path: its file, or None.
        text_limits: how large and deep an imported text may be.
        limits: how much may be imported.
        previous: an earlier state of the same document, of which is kept what has not changed: nodes and blocks whose
            data are the very same objects, and shipped blocks.

    Raises:
        BlueprintError: with everything that is wrong.
    """
    root = path.resolve().parent if path is not None else None
    loading = _Loading(root, text_limits or TextLimits(), limits or ImportLimits(), previous)
    document = _document(source, path, loading, previous)
    if document is not None:
        _follow_imports(document, loading, (path.resolve(),) if path else ())
    if loading.diagnostics or document is None:
        raise BlueprintError(loading.diagnostics)
    return document


def _document(
    source: Source, path: Path | None, loading: _Loading, previous: Document | None = None
) -> Document | None:
    """The document of one text, its imports not yet followed; None when the schema refuses it."""
    data = source.data
    if not isinstance(data, dict):
        loading.diagnostics.append(
            Diagnostic(
                "GB204",
                "the file holds no mapping",
                file=source.name,
                position=source.position(()),
                expected="keys such as blueprint, inputs, nodes and outputs",
                hint="`graphbuilder new cnn` writes a blueprint to start from",
            )
        )
        return None
    version = version_problem(source, data)
    if version is not None:
        loading.diagnostics.append(version)
        return None
    try:
        blueprint = validated(data, previous)
    except ValidationError as error:
        found = refusals(error, data, lambda where: _known_keys(data, where))
        loading.diagnostics.extend(diagnose(refusal, source, ()) for refusal in with_misplaced(found, data))
        return None
    return Document(source, blueprint, path)


def diagnose(refusal: Refusal, source: Source, prefix: Sequence[str | int], node: str | None = None) -> Diagnostic:
    """The located diagnostic of a value that was not accepted.

    Arguments:
        refusal: what was refused, relative to `prefix`.
        source: the text it stands in.
        prefix: the keys that lead to what was validated.
        node: the path of the node that the value belongs to, if the prefix does not say.
    """
    path = (*prefix, *refusal.path)
    missing = refusal.code == "GB202"
    return Diagnostic(
        refusal.code,
        refusal.message,
        file=source.name,
        position=source.nearest(path) if missing else source.position(path, key=refusal.on_key),
        node=node or owner(path),
        found=refusal.found,
        expected=refusal.expected,
        hint=refusal.hint or (_EXAMPLES.get(str(refusal.path[-1])) if missing else None),
        fix=refusal.fix,
    )


def _known_keys(data: Any, path: tuple[str | int, ...]) -> list[str]:
    """The keys that the format has at a path, for near names."""
    shape: list[str] = [str(step) for step in path]
    model: Any = None
    if not shape:
        model = Blueprint
    elif shape[0] == "training":
        model = Training
    elif shape[0] == "budget":
        model = BudgetSpec
    elif shape[0] == "params" and len(shape) == 2:
        model = Param
    elif shape[0] == "inputs" and len(shape) == 2:
        model = InputSpec
    elif shape[0] == "nodes" and len(shape) == 2:
        model = ReuseNode
    elif shape[0] == "blocks" and len(shape) >= 2:
        if len(shape) == 2:
            model = Block
        elif len(shape) == 4:
            model = {"params": Param, "inputs": PortSpec, "nodes": ReuseNode}.get(shape[2])
    if model is None:
        return []
    names = [info.alias or name for name, info in model.model_fields.items()]
    return [*names, "description"] if model is Blueprint else names


def _follow_imports(document: Document, loading: _Loading, trail: tuple[Path, ...]) -> None:
    """Reads what a document imports, and the shipped blocks it uses, and what those import in turn."""
    for name, reference in document.blueprint.imports.items():
        where: tuple[str | int, ...] = ("imports", name)
        if name in RESERVED:
            _report(loading, document, "GB206", where, f"{name} is the name of the shipped blocks", key=True)
            continue
        target = _import_target(document, reference, where, loading)
        if target is not None:
            imported = _imported(document, target, where, loading, trail, reference)
            if imported is not None:
                document.imports[name] = imported
    for name, where in _shipped_uses(document):
        if name in document.imports:
            continue
        space, _, inner = name.partition(".")
        if loading.previous is not None and name in loading.previous.imports:
            # Shipped blocks do not change while the program runs.
            document.imports[name] = loading.previous.imports[name]
            continue
        target = block_path(space, inner)
        if target is None:
            hint = suggestion(inner, blocks_in(space), listing="`graphbuilder layers --blocks` lists them")
            if isinstance(hint, Hint):
                hint = Hint(f"did you mean {space}.{hint.fix}?", f"{space}.{hint.fix}")
            _report(loading, document, "GB205", where, f"{name} is not a block", hint=hint)
            continue
        imported = _imported(document, target, where, loading, trail, f"<{name}>")
        if imported is not None:
            document.imports[name] = imported


def _import_target(document: Document, reference: str, where: tuple[str | int, ...], loading: _Loading) -> Path | None:
    """The file that an import names, if it is one that may be read."""
    if loading.root is None or document.path is None:
        _report(
            loading, document, "GB210", where, "a text without a file cannot import", hint="save it to a file first"
        )
        return None
    target = (document.path.resolve().parent / reference).resolve()
    if not target.is_relative_to(loading.root):
        _report(
            loading,
            document,
            "GB210",
            where,
            f"{reference} lies outside the blueprint's folder",
            expected="a file in the folder of the blueprint or below it",
            hint="copy it beside the blueprint",
        )
        return None
    if not target.is_file():
        near = (
            suggestion(target.name, [path.name for path in target.parent.glob("*.*")])
            if target.parent.is_dir()
            else None
        )
        _report(loading, document, "GB210", where, f"there is no file {reference}", hint=near)
        return None
    return target


def _imported(
    document: Document,
    target: Path,
    where: tuple[str | int, ...],
    loading: _Loading,
    trail: tuple[Path, ...],
    name: str,
) -> Document | None:
    """The document behind an import, from what was read already or from its file."""
    if target in trail:
        circle = " → ".join(path.name for path in (*trail[trail.index(target) :], target))
        _report(loading, document, "GB211", where, f"imports form a circle: {circle}")
        return None
    if target in loading.documents:
        return loading.documents[target]
    if len(trail) >= loading.limits.depth or len(loading.documents) >= loading.limits.files:
        deep = len(trail) >= loading.limits.depth
        beyond = f"{loading.limits.depth} deep" if deep else f"{loading.limits.files} files"
        hint = raising_hint("import_depth" if deep else "imports")
        _report(loading, document, "GB405", where, f"imports go beyond {beyond}", hint=hint)
        return None
    try:
        source = read(target, limits=loading.text_limits, name=_shown_name(document, name))
    except BlueprintError as error:
        loading.diagnostics.extend(error.diagnostics)
        return None
    imported = _document(source, target, loading)
    if imported is not None:
        loading.documents[target] = imported
        _follow_imports(imported, loading, (*trail, target))
    return imported


def _shown_name(document: Document, reference: str) -> str:
    """What messages call an imported file: its path from where the user stands, like the importing file's."""
    if reference.startswith("<"):
        return reference
    return str(Path(document.source.name).parent / reference)


def _shipped_uses(document: Document) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The shipped blocks that a document's nodes name, and where."""
    blueprint = document.blueprint
    scopes: list[tuple[tuple[str, ...], Mapping[str, Node]]] = [((), blueprint.nodes)]
    scopes += [(("blocks", name), block.nodes) for name, block in blueprint.blocks.items()]
    for prefix, nodes in scopes:
        for name, node in nodes.items():
            space = node.block.partition(".")[0] if isinstance(node, BlockNode) else None
            if isinstance(node, BlockNode) and space in NAMESPACES and space not in blueprint.imports:
                yield node.block, (*prefix, "nodes", name, "block")


def _report(
    loading: _Loading,
    document: Document,
    code: str,
    where: tuple[str | int, ...],
    message: str,
    *,
    expected: str | None = None,
    hint: str | None = None,
    key: bool = False,
    related: tuple[Related, ...] = (),
) -> None:
    loading.diagnostics.append(
        Diagnostic(
            code,
            message,
            file=document.source.name,
            position=document.source.position(where, key=key),
            node=owner(where),
            expected=expected,
            hint=hint,
            related=related,
        )
    )
