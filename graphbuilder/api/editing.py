"""What is to be known of a node, and edits of a blueprint's text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphbuilder.api.reading import Blueprintish, Limits, check, document_of, lower

if TYPE_CHECKING:
    from graphbuilder.analysis.explain_model import Explanation
    from graphbuilder.editing import Edited, FittingFusion

__all__ = ["explain", "fusions_that_fit", "merge"]


def explain(
    blueprint: Blueprintish,
    node: str,
    params: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
) -> Explanation:
    """Everything that is known of one node: what it is, what it is given and gives, what it costs, why it is there.

    Of a fusion, what is done to each branch, why, and what else could be done, each with the line to write.

    Arguments:
        blueprint: a file or a loaded document.
        node: an input, a node, or the path of what lies inside one, such as `encoder.2.attention`.
        params: values for some of its params.
        limits: limits by their names, such as {"nodes": 500_000}; or those of the graph alone.

    Raises:
        BlueprintError: with every error found.
        CommandError: there is nothing of that name.

    Example:
        >>> explained = explain("blueprints/cnn.yaml", "conv")
        >>> explained.kind, explained.parameters, explained.consumers
        ('Conv2D', 896, ('pool',))
    """
    from graphbuilder.analysis.explain import explain as tell

    document = document_of(blueprint)
    checked = check(document, params, limits=limits)
    # A document without a graph, because of errors or because it holds only blocks, is told by lowering it.
    graph = checked.graph or lower(document, params, limits=limits)
    return tell(document, graph, node, params, checked.warnings)


def merge(
    blueprint: Blueprintish,
    nodes: Sequence[str],
    strategy: str,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    into: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
    block: str | None = None,
) -> Edited:
    """Merges branches in the text of a blueprint, and gives the new text; no file is written.

    A node `{fuse: …, from: […]}` is added below the last of the merged nodes. What took one of the branches takes the
    merged value instead, unless it feeds one of them, or takes several of them apart from each other. Everything else
    stays, byte for byte.

    Arguments:
        blueprint: a file or a loaded document.
        nodes: what to merge, two or more, written as under `from`.
        strategy: the way to merge, as after `fuse:`.
        name: the new node; left out, merged, merged_2, …
        options: the strategy's options.
        into: the only consumers to rewire: names of nodes, or "outputs"; none for an empty list, all for None.
        params: values for some of the blueprint's params, for the check.
        block: the block of the file that the nodes stand in; None for the file itself.

    Raises:
        CommandError: a node, the strategy, the name or an option is not what can be taken.
        BlueprintError: the blueprint is wrong, before or after the merge.

    Example:
        >>> edited = merge("blueprints/cnn.yaml", ["pool", "conv"], "concat", options={"align": "auto"}, into=[])
        >>> edited.name, edited.changes[0]
        ('merged', 'merged is added below pool: concat of pool, conv')
    """
    from graphbuilder.editing import merge as edit

    return edit(
        document_of(blueprint), nodes, strategy, name=name, options=options, into=into, params=params, block=block
    )


def fusions_that_fit(
    blueprint: Blueprintish, nodes: Sequence[str], params: Mapping[str, Any] | None = None, block: str | None = None
) -> tuple[FittingFusion, ...]:
    """The ways to merge that fit some branches, each with the shape that it gives and what it adds to the model.

    Arguments:
        blueprint: a file or a loaded document.
        nodes: what would be merged, two or more, written as under `from`.
        params: values for some of the blueprint's params.
        block: the block of the file that the nodes stand in, which some node uses; None for the file itself.

    Raises:
        CommandError: a node is not known, or stands twice.
        BlueprintError: the blueprint is wrong.

    Example:
        >>> [str(found.gives) for found in fusions_that_fit("blueprints/cnn.yaml", ["hidden", "flat"])][:1]
        ['(batch, 30816)']
    """
    from graphbuilder.editing import fusions_that_fit as fitting

    return fitting(document_of(blueprint), nodes, params, block)
