"""The form of whatever is selected: its fields with values, defaults and choices, and the commands that set them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from graphbuilder.blueprint import BudgetSpec, Document, InputSpec, LayerNode, Param, ReuseNode, Training
from graphbuilder.blueprint.entry_schema import argument_schemas, blueprint_key, call_schema, in_words, param_schema
from graphbuilder.blueprint.entry_schema import written as as_blueprint
from graphbuilder.catalog import DTYPES, Entry, LayerEntry
from graphbuilder.compression.tables import passes
from graphbuilder.editing.command import Command
from graphbuilder.editing.commands.arguments import SetArgument, UnsetArgument
from graphbuilder.editing.commands.ends import RenameInput, SetInput, UnsetInput
from graphbuilder.editing.commands.imports import RenameImport, SetImport
from graphbuilder.editing.commands.outputs import SetOutputs
from graphbuilder.editing.commands.params import RenameParam, SetParam, UnsetParam
from graphbuilder.editing.commands.passes import EditPass, OverrideOption, UnsetOverride, UnsetPass
from graphbuilder.editing.commands.renaming import RenameNode
from graphbuilder.editing.commands.top import SetDescription, SetInputsAs, SetName
from graphbuilder.editing.commands.training import SetBudget, SetTraining, UnsetBudget, UnsetTraining
from graphbuilder.editing.kinds import kind_of_node
from graphbuilder.editing.levels import Level
from graphbuilder.text.source import Path
from graphbuilder.tui.block_forms import block_form, block_outputs_form, port_form
from graphbuilder.tui.fields import UNSET, Field, Form, Said, choices_of, name_field, said_of

__all__ = ["form_of"]


def form_of(document: Document, where: Path) -> Form | None:
    """The form of what stands at a path of a document; None where nothing does.

    Arguments:
        document: a loaded blueprint.
        where: the keys that lead to it: ("nodes", "conv"), ("blocks", "encoder", "nodes", "attention"),
            ("blocks", "encoder", "params", "width"), ("inputs", "image"), ("params", "units"), ("imports", "parts"),
            ("compression", 0),
            ("compression", 0, "overrides", "scores"), ("training",), ("budget",), ("outputs",), ().
    """
    match where:
        case ("nodes", str(name), *_):
            return _node_form(Level(document), name)
        case ("blocks", str(block), "nodes", str(name), *_) if block in document.blueprint.blocks:
            return _node_form(Level(document, block), name)
        case ("blocks", str(block), "params", str(name), *_) if block in document.blueprint.blocks:
            return _param_form(document, name, block)
        case ("blocks", str(block), "inputs", str(name), *_) if block in document.blueprint.blocks:
            return port_form(document, block, name)
        case ("blocks", str(block), "outputs", *_) if block in document.blueprint.blocks:
            return block_outputs_form(document, block)
        case ("blocks", str(block), *_):
            return block_form(document, block)
        case ("inputs", str(name), *_):
            return _input_form(document, name)
        case ("params", str(name), *_):
            return _param_form(document, name, None)
        case ("imports", str(name), *_):
            return _import_form(document, name)
        case ("compression", int(index), "overrides", str(name), *_):
            return _override_form(document, index, name)
        case ("compression", int(index), *_):
            return _pass_form(document, index)
        case ("training", *_):
            return _training_form(document)
        case ("budget", *_):
            return _budget_form(document)
        case ("outputs", *_):
            return _outputs_form(document)
    return _model_form(document)


def _node_form(level: Level, name: str) -> Form | None:
    node = level.definition.nodes.get(name)
    if node is None:
        return None
    data = level.data["nodes"][name]
    kind = kind_of_node(level, node)
    block = level.block
    fields = [name_field(name, lambda new: RenameNode(name, new, block))]

    if isinstance(node, ReuseNode):
        fields += [_argument(level, name, data, ("reuse",), _REUSE), *_common(level, name, data, call=True)]
        about = f"calls {node.reuse} again, with the same weights"
        return Form(name, f"reuse {node.reuse}", about, tuple(fields))
    told = str(data.get(node.kind, ""))
    about = ""
    if kind is not None and kind.entry is not None:
        about = _entry_about(kind.entry)
        fields += [_argument(level, name, data, path, said) for path, said in _entry_arguments(kind.entry)]
    elif kind is not None and kind.key == "block":
        place = level.document.find_block(kind.name)
        about = (place.definition.about or "") if place is not None else ""
        for key, param in kind.params.items():
            param_said = said_of(param.about or "", param_schema(param), param.default, param.required)
            fields.append(_argument(level, name, data, (key,), param_said))
    elif kind is not None and kind.custom:
        fields += [
            _argument(level, name, data, (key,), said_of(LayerNode.model_fields[key].description or "", {}, None))
            for key in ("args", "gives", "call")
        ]
    else:
        fields += [
            _argument(level, name, data, (key,), said_of("", {}, None))
            for key in data
            if key not in (node.kind, "from", "when", "about", "call", *_USES)
        ]
    declared = kind.params if kind is not None else {}
    uses = {"block": _USES, "fuse": ("trainable",)}.get(node.kind, ())
    fields += _common(level, name, data, [key for key in uses if key not in declared])
    return Form(name, f"{node.kind} {told}", " ".join(about.split()), tuple(fields))


@lru_cache(maxsize=256)
def _entry_about(entry: type[Entry]) -> str:
    return (inspect.getdoc(entry) or "").split("\n")[0]


@lru_cache(maxsize=256)
def _entry_arguments(entry: type[Entry]) -> tuple[tuple[Path, Said], ...]:
    """What is said of the arguments of a layer, op or fusion, those first that it needs, and of its call."""
    schemas = argument_schemas(entry)
    general = LayerEntry.model_fields if issubclass(entry, LayerEntry) else {}
    found = []
    for own, info in entry.model_fields.items():
        key = blueprint_key(entry, own)
        default = None if info.is_required() else as_blueprint(info.default)
        said = said_of(info.description or "", schemas[key], default, info.is_required())
        found.append((not info.is_required(), own in general, (key,), said))
    ordered: list[tuple[Path, Said]] = [(path, said) for _, _, path, said in sorted(found, key=lambda each: each[:2])]
    ordered += [
        (("call", name), said_of(call.about, call_schema(call), call.default))
        for name, call in entry.call_arguments.items()
    ]
    return tuple(ordered)


# What can be said of a block as a whole, and of training of a fusion too.
_USES = {
    "repeat": said_of(
        "how many copies follow one another, each with its own weights", {"type": "integer", "minimum": 1}, 1
    ),
    "trainable": said_of(
        "whether training changes the layers inside, or {from: node} from which on",
        {"type": ["boolean", "object"]},
        None,
    ),
    "pretrained": said_of("weights that a model of the zoo begins with: imagenet, or a file", {"type": "string"}, None),
}
_REUSE = said_of("the node whose weights are used again", {"type": "string"}, None, required=True)
_CALL = said_of("call arguments that are not tensors", {"type": "object"}, {})
_WHEN = said_of("where it is false, the node is left out and its input passes on", {"type": "boolean"}, True)
_ABOUT = said_of("what it is, for people", {"type": "string"}, "", text=True)


def _common(
    level: Level, name: str, data: Mapping[str, Any], uses: Iterable[str] = (), *, call: bool = False
) -> Iterator[Field]:
    """The fields that every node has, and before them those of a block's or fusion's use."""
    for key in uses:
        yield _argument(level, name, data, (key,), _USES[key])
    if call:
        yield _argument(level, name, data, ("call",), _CALL)
    yield _argument(level, name, data, ("when",), _WHEN)
    yield _argument(level, name, data, ("about",), _ABOUT)


def _argument(level: Level, name: str, data: Mapping[str, Any], path: Path, said: Said) -> Field:
    """The field of one argument of a node."""
    value: Any = data
    for key in path:
        value = value[key] if isinstance(value, Mapping) and key in value else UNSET
    label = ".".join(map(str, path))
    return Field(
        label, label, said.about, said.accepts, value, said.default, said.required, said.choices,
        lambda new: SetArgument(name, path, new, level.block),
        None if said.required else lambda: UnsetArgument(name, path, level.block), said.text,
    )  # fmt: skip


def _of_model(
    kind: type[BaseModel], data: Mapping[str, Any], change: Callable[[Path, Any], Command],
    clear: Callable[[Path], Command], skip: tuple[str, ...] = (),
) -> Iterator[Field]:  # fmt: skip
    """The fields of a part of the file that has a model of its own."""
    schemas = kind.model_json_schema(by_alias=False).get("properties", {})

    def made(key: str) -> Field:
        info = kind.model_fields[key]
        default = None if info.is_required() else info.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            default = default.model_dump(exclude_defaults=True)
        schema = schemas.get(key, {})
        return Field(
            key, key, info.description or "", _words(schema), data.get(key, UNSET), default, info.is_required(),
            choices_of(_inlined(schema)), lambda new: change((key,), new),
            None if info.is_required() else lambda: clear((key,)), key == "about",
        )  # fmt: skip

    yield from (made(key) for key in kind.model_fields if key not in skip)


def _inlined(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {key: value for key, value in schema.items() if key not in ("title", "description", "default")}
    return {**kept, "anyOf": [dict(each) for each in kept["anyOf"]]} if "anyOf" in kept else kept


def _words(schema: Mapping[str, Any]) -> str:
    """What a schema takes, in words; where it refers to other schemas, nothing is said."""
    bare = _inlined(schema)
    if "$ref" in str(bare):
        return ""
    branches = [each for each in bare.get("anyOf", [bare]) if each.get("pattern") != r"^\$"]
    told = in_words({"anyOf": branches} if len(branches) > 1 else branches[0]) if branches else ""
    return "" if told == "anything" else told


def _input_form(document: Document, name: str) -> Form | None:
    if name not in document.blueprint.inputs:
        return None
    data = document.source.data["inputs"][name]
    fields = _of_model(
        InputSpec,
        data,
        lambda path, value: SetInput(name, str(path[0]), value),
        lambda path: UnsetInput(name, str(path[0])),
    )
    found = [name_field(name, lambda new: RenameInput(name, new)), *fields]
    return Form(name, "input", "a tensor that the model is given", tuple(_with_dtypes(found)))


def _with_dtypes(fields: list[Field]) -> Iterator[Field]:
    for field in fields:
        yield replace(field, choices=tuple(DTYPES)) if field.key == "dtype" else field


def _param_form(document: Document, name: str, block: str | None) -> Form | None:
    declared = document.blueprint.params if block is None else document.blueprint.blocks[block].params
    if name not in declared:
        return None
    data = document.source.data if block is None else document.source.data["blocks"][block]
    written = data["params"][name]
    long = written if isinstance(written, dict) else {"default": written}
    fields = _of_model(
        Param, long, lambda path, value: SetParam(name, value, str(path[0]), block),
        lambda path: UnsetParam(name, str(path[0]), block),
    )  # fmt: skip
    found = (name_field(name, lambda new: RenameParam(name, new, block)), *fields)
    return Form(name, "param", declared[name].about or "a knob of the file", found)


def _import_form(document: Document, name: str) -> Form | None:
    file = document.blueprint.imports.get(name)
    if file is None:
        return None
    about = "a path from this file, in its folder or below it"
    field = Field(
        "file", "file", about, "a path", file, required=True, change=lambda new: SetImport(name, new), text=True
    )
    found = (name_field(name, lambda new: RenameImport(name, new)), field)
    return Form(name, "import", f"another file, whose blocks are {name}.…", found)


def _pass_form(document: Document, index: int) -> Form | None:
    written = document.source.data.get("compression") or []
    if not 0 <= index < len(written):
        return None
    data = written[index]
    kind = passes.get(data["pass"]) if isinstance(data, Mapping) else None
    if kind is None:
        return None
    fields = _of_model(
        kind, data, lambda path, value: EditPass(index, path, value), lambda path: UnsetPass(index, path)
    )
    about = (inspect.getdoc(kind) or "").split("\n")[0]
    return Form(kind.name(), f"pass {index + 1} of {len(written)}", about, tuple(fields))


def _override_form(document: Document, index: int, node: str) -> Form | None:
    """The form of what a pass does otherwise to one node, or to those that a pattern matches."""
    written = document.source.data.get("compression") or []
    data = written[index] if 0 <= index < len(written) else None
    kind = passes.get(data["pass"]) if isinstance(data, Mapping) else None
    if kind is None or not isinstance(data, Mapping) or node not in (data.get("overrides") or {}):
        return None
    fields = _of_model(
        kind, data["overrides"][node], lambda path, value: OverrideOption(index, node, str(path[0]), value),
        lambda path: UnsetOverride(index, node, str(path[0])),
        skip=tuple(key for key in kind.model_fields if key not in kind.per_node),
    )  # fmt: skip
    own = tuple(
        replace(
            field, required=False, default=data.get(field.key, field.default),
            clear=lambda key=field.key: UnsetOverride(index, node, key),  # type: ignore[misc]
        )
        for field in fields
    )  # fmt: skip
    return Form(node, f"override of {kind.name()}", f"what pass {index + 1} does otherwise to {node}", own)


def _training_form(document: Document) -> Form:
    data = document.source.data.get("training") or {}
    fields = _of_model(Training, data, SetTraining, UnsetTraining)
    return Form("training", "section", "how the model wants to be trained", tuple(fields))


def _budget_form(document: Document) -> Form:
    data = document.source.data.get("budget") or {}
    fields = _of_model(
        BudgetSpec, data, lambda path, value: SetBudget(str(path[0]), value), lambda path: UnsetBudget(str(path[0]))
    )
    return Form("budget", "section", "what the model may cost", tuple(fields))


def _outputs_form(document: Document) -> Form:
    field = Field(
        "outputs", "outputs", "what the model gives: a node, a list, or a mapping of nodes", "node, list, mapping",
        document.source.data.get("outputs", UNSET), next(reversed(document.blueprint.nodes), ""), change=SetOutputs,
        clear=lambda: SetOutputs(None),
    )  # fmt: skip
    return Form("outputs", "section", "what the model gives; left out, the last node", (field,))


def _model_form(document: Document) -> Form:
    data = document.source.data
    key = "description" if "description" in data else "about"
    fields = (
        Field("name", "name", "the model's name; the file's when left out", "a name", data.get("name", UNSET),
              document.name, change=SetName, clear=lambda: SetName(None), text=True),
        Field("about", key, "what it is, for people", "string", data.get(key, UNSET), "", change=SetDescription,
              clear=lambda: SetDescription(None), text=True),
        Field("inputs_as", "inputs_as", "how the model is called", "tensor, list or mapping",
              data.get("inputs_as", UNSET), "tensor" if len(document.blueprint.inputs) == 1 else "mapping",
              choices=("tensor", "list", "mapping"), change=SetInputsAs, clear=lambda: SetInputsAs(None)),
    )  # fmt: skip
    return Form(document.name, "model", document.blueprint.about or "", fields)
