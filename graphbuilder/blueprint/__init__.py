"""The file as a document: format 1 as pydantic models, imports, params and expressions."""

from __future__ import annotations

from graphbuilder.blueprint.document import BlockPlace, Document
from graphbuilder.blueprint.expressions import ExpressionError, ParamUse, evaluate, names_in, param_uses, strings_in
from graphbuilder.blueprint.loading import ImportLimits, diagnose, load, load_source, parse_blueprint
from graphbuilder.blueprint.params import ParamProblem, resolve_params, resolve_values
from graphbuilder.blueprint.schema import (
    Block,
    BlockNode,
    Blueprint,
    BudgetSpec,
    FuseNode,
    InputSpec,
    LayerNode,
    Node,
    OpNode,
    Param,
    PassSpec,
    ReuseNode,
    TrainedPart,
    Training,
)

__all__ = [
    "Block",
    "BlockNode",
    "BlockPlace",
    "Blueprint",
    "BudgetSpec",
    "Document",
    "ExpressionError",
    "FuseNode",
    "ImportLimits",
    "InputSpec",
    "LayerNode",
    "Node",
    "OpNode",
    "Param",
    "ParamProblem",
    "ParamUse",
    "PassSpec",
    "ReuseNode",
    "TrainedPart",
    "Training",
    "diagnose",
    "evaluate",
    "load",
    "load_source",
    "names_in",
    "param_uses",
    "parse_blueprint",
    "resolve_params",
    "resolve_values",
    "strings_in",
]
