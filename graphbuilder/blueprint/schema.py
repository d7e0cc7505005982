"""Format 1 of the blueprint, as pydantic models: what a file may say, before any name in it is resolved."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from graphbuilder.blueprint.budget_bounds import Bytes, Count, Drop, Positive, Room
from graphbuilder.blueprint.forms import (
    EXPRESSION_SCHEMA,
    AxisList,
    BlockName,
    DtypeName,
    ExpressionText,
    FileReference,
    FromField,
    Name,
    NodeKind,
    ObjectOrName,
    OutputsField,
    ParamName,
    Reference,
    has_expression,
    node_kind,
)
from graphbuilder.blueprint.training_names import check_loss, check_metrics, check_optimizer
from graphbuilder.catalog.arguments import as_written, conflict, refuse
from graphbuilder.errors import Hint

__all__ = [
    "Block",
    "BlockNode",
    "Blueprint",
    "BudgetSpec",
    "FuseNode",
    "InputSpec",
    "LayerNode",
    "Node",
    "OpNode",
    "Param",
    "PassSpec",
    "PortSpec",
    "ReuseNode",
    "TrainedPart",
    "Training",
]


class _Part(BaseModel):
    # Built when a file is first validated, and then only the whole.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Param(_Part):
    """A knob of a file or a block.

    The short form `units: 64` means `units: {default: 64}`. A param without a default must be given by whoever uses the
    block.
    """

    default: Any = Field(None, description="the value when nobody gives one; it may refer to params above it")
    type: Literal["int", "float", "bool", "str", "list", "mapping", "any"] | None = Field(
        None, description="the kind of value; taken from the default when left out"
    )
    min: float | None = Field(None, description="the least number, or the least length of a list or string")
    max: float | None = Field(None, description="the largest number, or the largest length of a list or string")
    choices: list[Any] | None = Field(None, description="the values that are accepted")
    about: str | None = Field(None, description="what it is, for people")

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return "default" not in self.model_fields_set


def _long_param(value: Any) -> Any:
    """The short form of a param turned into the long one."""
    return value if isinstance(value, dict) else {"default": value}


TapsField: TypeAlias = dict[Name, Reference]

ParamField = Annotated[
    Param,
    BeforeValidator(_long_param),
    WithJsonSchema(
        {
            "anyOf": [
                {"$ref": "#/$defs/Param"},
                {"type": ["number", "string", "boolean", "null", "array"], "description": "the default"},
            ]
        }
    ),
]


class InputSpec(_Part):
    """A tensor that the model is given."""

    shape: AxisList = Field(description="sizes without the batch axis; null is unknown, a word names an unknown axis")
    dtype: DtypeName = Field("float32", description="float32, int32, string, bool, …")
    modality: str | None = Field(None, description="image, text, audio, video, tabular, …")
    about: str | None = Field(None, description="what it is, for people")


def _shape_alone(value: Any) -> Any:
    """Refuses a bare shape with the way to write it."""
    if isinstance(value, list):
        written = f"{{shape: {as_written(value)}}}"
        raise refuse("a mapping such as {shape: [224, 224, 3]}", Hint(f"write {written}", written))
    return value


class PortSpec(_Part):
    """A tensor that a block is given; its shape is whatever the user of the block connects."""

    about: str | None = Field(None, description="what it is, for people")


class _Node(_Part):
    model_config = ConfigDict(extra="allow")

    kind: ClassVar[str]

    source: FromField = Field(None, alias="from", description="what it is called with; left out, the node above")
    when: bool | ExpressionText = Field(
        True, description="where it is false, the node is left out and its input passes on"
    )
    about: str | None = Field(None, description="what it is, for people")

    @property
    def arguments(self) -> dict[str, Any]:
        """The keys that the format does not name: arguments of the layer, op, fusion or block."""
        return self.__pydantic_extra__ or {}


class LayerNode(_Node):
    """Calls a Keras layer of its own. The layer's arguments stand beside the other keys."""

    kind = "layer"

    layer: str = Field(description="a layer of the catalog, or `package.module:Class`")
    call: dict[str, Any] = Field(default_factory=dict, description="call arguments that are not tensors")
    wraps: dict[str, Any] | None = Field(None, description="for a wrapper, the layer that it wraps")
    args: dict[str, Any] | None = Field(None, description="the constructor's arguments of a custom layer")
    gives: Any = Field(None, description="what a custom layer gives: {shape: […], dtype: …}, or a list of them")


class OpNode(_Node):
    """Applies a function of `keras.ops`. Its arguments stand beside the other keys."""

    kind = "op"

    op: str = Field(description="a function of keras.ops")


class FuseNode(_Node):
    """Merges branches."""

    kind = "fuse"

    fuse: str = Field(description="a way to merge: concat, add, mean, …")
    trainable: bool | ExpressionText | None = Field(
        None, description="whether training changes its layers; left out, it does"
    )


class TrainedPart(_Part):
    """The part of a block that training changes, the rest being frozen."""

    start: Reference | None = Field(
        None, alias="from", description="the first node inside that is trained, with all that stand behind it"
    )
    excepted: list[str] = Field(
        default_factory=list, alias="except", description="kinds of layers, and nodes inside, that stay frozen"
    )


def _trained(value: Any) -> Any:
    """Refuses what is neither a truth value, an expression nor a mapping that says something."""
    if isinstance(value, bool) or value is None or has_expression(value) or (isinstance(value, dict) and value):
        return value
    hint = f"to train from {value} on, write {{from: {value}}}" if isinstance(value, str) else None
    raise refuse("true, false, or a mapping such as {from: block_13}", hint)


_TRAINED_SCHEMA = {
    "anyOf": [
        {"type": ["boolean", "null"]},
        EXPRESSION_SCHEMA,
        {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "from": {
                    "type": "string",
                    "description": "the first node inside that is trained, with all that stand behind it",
                },
                "except": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "kinds of layers, and nodes inside, that stay frozen",
                },
            },
            "additionalProperties": False,
        },
    ]
}


# The keys of a block node that a block may also have as params of its own, which are then what they set.
_MAY_BE_PARAMS = ("trainable", "pretrained")


class BlockNode(_Node):
    """Puts a block's nodes here. The block's params stand beside the other keys."""

    kind = "block"

    block: BlockName = Field(description="a block of this file, of an import (`mine.encoder`), of `std` or of `zoo`")
    repeat: int | ExpressionText = Field(1, description="how many copies follow one another, each with its own weights")
    trainable: Annotated[
        bool | str | TrainedPart | None, BeforeValidator(_trained), WithJsonSchema(_TRAINED_SCHEMA)
    ] = Field(
        None, description="whether training changes the layers inside, or from which node on; left out, as they say"
    )
    pretrained: str | None = Field(
        None, description="weights that the layers inside begin with: imagenet, or a file; for a model of the zoo"
    )

    @property
    def arguments(self) -> dict[str, Any]:
        """The keys beside `block` that may set params; `given` tells which of them do."""
        own = {key: getattr(self, key) for key in _MAY_BE_PARAMS if key in self.model_fields_set}
        return {**super().arguments, **own}

    def given(self, declared: Container[str]) -> dict[str, Any]:
        """What it gives the block's params; a name that the block does not declare is among it too.

        Arguments:
            declared: the params that the block declares. A block with a param called `trainable` or `pretrained` is
                given that key of the node, and does with it what it says.
        """
        return {key: value for key, value in self.arguments.items() if key not in _MAY_BE_PARAMS or key in declared}


class ReuseNode(_Part):
    """Calls an earlier layer or block node again, with the same weights."""

    kind: ClassVar[str] = "reuse"

    reuse: Reference = Field(description="the node whose weights are used again")
    source: FromField = Field(None, alias="from", description="what it is called with; left out, the node above")
    call: dict[str, Any] = Field(default_factory=dict, description="call arguments that are not tensors")
    when: bool | ExpressionText = Field(
        True, description="where it is false, the node is left out and its input passes on"
    )
    about: str | None = Field(None, description="what it is, for people")

    @property
    def arguments(self) -> dict[str, Any]:
        """None: what is called again has its arguments already."""
        return {}


Node: TypeAlias = LayerNode | OpNode | FuseNode | BlockNode | ReuseNode

NodeField = Annotated[
    Annotated[LayerNode, Tag("layer-node")]
    | Annotated[OpNode, Tag("op-node")]
    | Annotated[FuseNode, Tag("fuse-node")]
    | Annotated[BlockNode, Tag("block-node")]
    | Annotated[ReuseNode, Tag("reuse-node")],
    Discriminator(node_kind),
    NodeKind,
]


def _long_ports(value: Any) -> Any:
    """A list of port names turned into the mapping it abbreviates."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value):
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {name: {} if port is None else port for name, port in value.items()}
    return value


class Block(_Part):
    """A subgraph with params, input ports and output ports, to be used any number of times."""

    about: str | None = Field(None, description="what it is, for people")
    params: dict[ParamName, ParamField] = Field(default_factory=dict, description="its knobs")
    inputs: Annotated[dict[Name, PortSpec], BeforeValidator(_long_ports)] = Field(
        description="its input ports: a list of names, or a mapping from name to {about}"
    )
    nodes: dict[Name, NodeField] = Field(description="its nodes, in order")
    outputs: OutputsField = Field(None, description="its output: a node, or a mapping from port to node")
    taps: TapsField = Field(default_factory=dict, description="names for values inside, for whoever uses the block")


class Training(_Part):
    """How the model wants to be trained."""

    optimizer: Annotated[ObjectOrName, BeforeValidator(check_optimizer)] = Field(
        "rmsprop", description="a Keras optimizer, by name or {name: {options}}"
    )
    loss: Annotated[Any, BeforeValidator(check_loss)] = Field(
        None, description="a Keras loss by name or {name: {options}}; or a mapping from output to loss"
    )
    loss_weights: Any = Field(None, description="weights of the outputs' losses, as a list or mapping")
    metrics: Annotated[Any, BeforeValidator(check_metrics)] = Field(
        None, description="a list of Keras metrics; or a mapping from output to such a list"
    )
    epochs: int | ExpressionText = Field(1, description="passes over the data")
    batch_size: int | ExpressionText = Field(32, description="samples in one step")
    validation_split: float | ExpressionText = Field(0.0, description="the fraction of the data kept for validation")
    shuffle: bool | ExpressionText = Field(True, description="whether the samples are shuffled before each epoch")
    seed: int | ExpressionText | None = Field(None, description="the seed of everything random")
    about: str | None = Field(None, description="what it is, for people")


class PassSpec(_Part):
    """One compression pass. Its options stand beside the other keys."""

    model_config = ConfigDict(extra="allow")

    name: str = Field(alias="pass", description="prune, cluster, quantize, low_rank, …")
    where: dict[str, Any] | None = Field(None, description="which nodes it touches: {nodes, layers, except}")
    about: str | None = Field(None, description="what it is, for people")


class BudgetSpec(_Part):
    """What the model may cost.

    `validate` and `compile` fail where the model itself costs more, `compress` where the compressed one misses a bound.
    """

    params: Count = Field(None, description="the most numbers that its weights may hold, such as 5M")
    macs: Count = Field(None, description="the most multiply-accumulates for one sample, such as 1.2G")
    memory: Room = Field(None, description="the most bytes that activations may take for one sample, such as 200MB")
    size: Room = Field(None, description="the most bytes that its weights may take, such as 20MB")
    accuracy_drop: Drop = Field(
        None, description="by how much the first measure may be worse than the float model's, both as .tflite"
    )
    gzip_ratio: Positive = Field(
        None, description="how many times smaller than the float .tflite file it must be, both after gzip"
    )
    raw_ratio: Positive = Field(None, description="how many times smaller than the float .tflite file it must be")
    gzip_bytes: Bytes = Field(None, description="the most bytes of the .tflite file after gzip")
    raw_bytes: Bytes = Field(None, description="the most bytes of the .tflite file")
    latency_ms: Positive = Field(None, description="the most milliseconds of one call, the median of those measured")
    about: str | None = Field(None, description="what it is, for people")


class Blueprint(_Part):
    """A neural network as a graph of layers, format 1."""

    blueprint: Literal[1] = Field(description="the version of the format")
    name: Name | None = Field(None, description="the model's name; the file's when left out")
    about: str | None = Field(
        None, validation_alias=AliasChoices("about", "description"), description="what it is, for people"
    )
    params: dict[ParamName, ParamField] = Field(default_factory=dict, description="its knobs")
    imports: dict[Name, FileReference] = Field(
        default_factory=dict, description="other files by a name for them: {mine: ./blocks.yaml}"
    )
    inputs: dict[Name, Annotated[InputSpec, BeforeValidator(_shape_alone)]] = Field(
        default_factory=dict, description="the tensors the model is given"
    )
    inputs_as: Literal["tensor", "list", "mapping"] | None = Field(
        None, description="how the model is called; one input is a tensor, several a mapping unless this says otherwise"
    )
    blocks: dict[Name, Block] = Field(default_factory=dict, description="reusable subgraphs")
    nodes: dict[Name, NodeField] = Field(default_factory=dict, description="the graph's nodes, in order")
    outputs: OutputsField = Field(
        None, description="what the model gives: a node, a list, or a mapping; else the last node"
    )
    taps: TapsField = Field(
        default_factory=dict, description="names for values inside, for whoever uses this file as a block"
    )
    training: Training | None = Field(None, description="how it wants to be trained")
    compression: list[PassSpec] = Field(default_factory=list, description="passes that shrink it, in order")
    budget: BudgetSpec | None = Field(None, description="what it may cost")

    @model_validator(mode="before")
    @classmethod
    def _one_description(cls, value: Any) -> Any:
        if isinstance(value, dict) and "about" in value and "description" in value:
            raise conflict("description", "about and description say the same twice", "one of them")
        return value
