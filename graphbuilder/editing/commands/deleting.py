"""The command that deletes nodes, and heals the graph behind them where that can be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from graphbuilder.blueprint import Document, ReuseNode
from graphbuilder.compression.selection import is_pattern
from graphbuilder.editing.changes import Change, Delete, Insert, InsertItem, Remove, Rename, Replace
from graphbuilder.editing.command import Command, Edit
from graphbuilder.editing.levels import Level, level_of, listed, refused
from graphbuilder.editing.references import OUTPUTS, Use, same_branch, tap_uses
from graphbuilder.editing.rewiring import Rewiring, branch_keys, known_node, written_from
from graphbuilder.editing.wiring import takes_lists

__all__ = ["DeleteNodes", "draw"]


@dataclass(frozen=True, slots=True)
class DeleteNodes:
    """Deletes nodes.

    Arguments:
        names: the nodes.
        heal: whether what took one of them takes what that took.
        block: the block that they stand in; None for the file itself.
    """

    names: Sequence[str]
    heal: bool = True
    block: str | None = None

    def edit(self, document: Document) -> Edit:
        """Deletes them with the comments that are their own, and every place that takes them.

        A node that takes one value can be healed: its consumers take that value. One that takes several can be, where a
        consumer has a list into which they fit. Otherwise its consumers are cut off: the reference is taken out of a
        list or mapping that keeps others; where it is the only one it stays, and is an error at the very place that
        needs another source. The first node that uses the weights of a deleted one again gets its layer.

        Raises:
            CommandError: there is no such node, or what lies inside one of them is used again.
        """
        level = level_of(document, self.block)
        names = list(dict.fromkeys(self.names))
        for name in names:
            known_node(level, name)
        if not names:
            raise refused(document, "GB301", "there is nothing to delete")
        made = _Deletion(level, names, self.heal)
        changes = made.run()
        return Edit(f"delete {listed(names, 3)}", changes, made.focus, tuple(made.rewiring.told))


class _Deletion:
    def __init__(self, level: Level, names: Sequence[str], heal: bool) -> None:
        self.level = level
        self.names = names
        self.heal = heal
        self.rewiring = Rewiring(level)
        self.heirs: dict[str, str] = {}

    @property
    def focus(self) -> str | None:
        """The node that comes to stand where the first of them stood, or the one above."""
        order = list(self.level.definition.nodes)
        number = order.index(self.names[0])
        gone = set(self.names)
        below = (name for name in order[number:] if name not in gone)
        above = (name for name in reversed(order[:number]) if name not in gone)
        return next(below, None) or next(above, None)

    def run(self) -> tuple[Change, ...]:
        rewiring = self.rewiring
        rewiring.order = [name for name in rewiring.order if name not in self.names]
        self._reuse()
        by_consumer: dict[str, list[Use]] = {}
        for use in rewiring.uses:
            first = use.reference.partition(".")[0]
            if first in self.names and use.consumer not in self.names:
                by_consumer.setdefault(use.consumer, []).append(use)
        for consumer, uses in by_consumer.items():
            self._mend(consumer, uses)
        self._taps()
        if self.level.block is None:
            self._passes()
        rewiring.changes += [Delete(self.level.at("nodes", name)) for name in self.names]
        return rewiring.settled()

    # What took them.

    def _values(self, use: Use) -> list[str]:
        """What a consumer takes in the place of a deleted node's value; none where it cannot be healed."""
        found = [use.reference]
        seen: set[str] = set()
        while gone := [each for each in found if each.partition(".")[0] in self.names]:
            reference = gone[0]
            name = same_branch(self._definition, reference)
            if not self.heal or "." in name or name in seen:
                return []
            seen.add(name)
            taken = list(dict.fromkeys(each.reference for each in self.rewiring.sources(name)))
            place = found.index(reference)
            found[place : place + 1] = [each for each in taken if each not in found]
            if not taken:
                return []
        return found

    @property
    def _definition(self) -> Any:
        return self.level.definition

    def _mend(self, consumer: str, uses: Sequence[Use]) -> None:
        rewiring, cut = self.rewiring, []
        healed: dict[str, str] = {}
        for use in uses:
            values = self._values(use)
            if consumer == OUTPUTS and len(values) == 1 and self._given_already(use, values[0]):
                values = []
            if len(values) == 1:
                rewiring.give([use], values[0])
                healed[use.reference] = values[0]
            elif values and self._fits_list(consumer, use):
                rewiring.changes.append(Replace(use.path, values[0]))
                index = use.path[-1]
                assert isinstance(index, int)
                rewiring.changes += [InsertItem(use.path[:-1], index + 1, value) for value in values[1:]]
                rewiring.told.append(f"{consumer} now takes {listed(values)} instead of {use.reference}")
            else:
                cut.append(use)
        for before in {use.reference for use in uses}:
            self._follow_keys(consumer, before, healed.get(before))
        if cut:
            self._cut(consumer, cut)

    def _given_already(self, use: Use, value: str) -> bool:
        """Whether the outputs name a value elsewhere too, so that healing would give it twice."""
        others = [each for each in self.rewiring.sources(OUTPUTS) if each.path != use.path]
        return value in [each.reference for each in others]

    def _fits_list(self, consumer: str, use: Use) -> bool:
        if consumer == OUTPUTS or use.implied or not isinstance(use.path[-1], int):
            return False
        base = len(self.level.at("nodes", consumer, "from"))
        return takes_lists(self.level.definition.nodes[consumer], use.path[base:-1])

    def _follow_keys(self, consumer: str, before: str, after: str | None) -> None:
        """What a fusion says of a branch that it names under `align` and `presence`."""
        for written, path in branch_keys(self.level, consumer):
            if before in written:
                stays = after is not None and after not in written
                place = (*path, before)
                self.rewiring.changes.append(Rename(place, after) if stays and after is not None else Delete(place))

    def _cut(self, consumer: str, uses: Sequence[Use]) -> None:
        rewiring = self.rewiring
        gone = list(dict.fromkeys(use.reference for use in uses))
        why = "" if not self.heal else f", because {self._why(gone[0])}"
        implied = [use for use in uses if use.implied]
        if consumer == OUTPUTS and (implied or not rewiring.cut(OUTPUTS, [use.path for use in uses])):
            rewiring.implied.pop(OUTPUTS, None)
            if not implied:
                rewiring.changes.append(Delete(self.level.at("outputs")))
            if rewiring.order:
                rewiring.told.append(f"the output is now {rewiring.order[-1]}, the last node{why}")
            else:
                rewiring.told.append(f"there is no output any more{why}")
        elif consumer == OUTPUTS:
            rewiring.told.append(f"the outputs name {listed(gone)} no more{why}")
            self._training([str(use.path[-1]) for use in uses])
        elif implied:
            rewiring.implied.pop(consumer)
            rewiring.changes.append(written_from(self.level, consumer, gone[0]))
            rewiring.told.append(
                f"{consumer} still says from: {gone[0]}, which is gone{why}: connect it to something else"
            )
        elif rewiring.cut(consumer, [use.path for use in uses]):
            rewiring.told.append(f"{consumer} no longer takes {listed(gone)}{why}")
        else:
            rewiring.told.append(
                f"{consumer} still names {listed(gone)}, which is gone{why}: connect it to something else"
            )

    def _taps(self) -> None:
        """Lets taps name what stands in the place of a deleted node's value; those of which nothing is left go too."""
        level, rewiring = self.level, self.rewiring
        gone = []
        for use in tap_uses(self._definition):
            if use.reference.partition(".")[0] not in self.names:
                continue
            values = self._values(use)
            if len(values) == 1:
                rewiring.changes.append(Replace(level.at(*use.path), values[0]))
                rewiring.told.append(f"{use.consumer} now names {values[0]} instead of {use.reference}")
            else:
                gone.append(use)
        if gone and len(gone) == len(self._definition.taps):
            rewiring.changes.append(Delete(level.at("taps")))
        else:
            rewiring.changes += [Delete(level.at(*use.path)) for use in gone]
        for use in gone:
            why = "" if not self.heal else f", because {self._why(use.reference)}"
            rewiring.told.append(f"{use.consumer} is gone with {use.reference}{why}")

    def _training(self, outputs: Sequence[str]) -> None:
        """Takes away the losses and metrics of outputs that are gone."""
        written = self.level.document.source.data.get("training")
        if self.level.block is not None or not isinstance(written, dict):
            return
        for key in ("loss", "loss_weights", "metrics"):
            part = written.get(key)
            if not isinstance(part, dict):
                continue
            own = [name for name in outputs if name in part]
            if own and len(own) < len(part):
                self.rewiring.changes += [Delete(("training", key, name)) for name in own]
                self.rewiring.told.append(f"the {key.replace('_', ' ')} of {listed(own)} went with it")

    def _why(self, reference: str) -> str:
        """Why nothing can stand in the place of a deleted node's value, in one clause."""
        seen: list[str] = []
        while True:
            name = same_branch(self._definition, reference)
            if "." in name:
                return f"{name} is a part of what {name.partition('.')[0]} gives"
            taken = list(dict.fromkeys(each.reference for each in self.rewiring.sources(name)))
            if not taken:
                return f"{name} takes nothing"
            if len(taken) > 1:
                return f"{name} takes {listed(taken)}"
            seen.append(name)
            (reference,) = taken
            if reference.partition(".")[0] not in self.names:
                return f"{reference} stands there already"
            if reference in seen:
                return "they feed each other in a circle"

    # Whose weights are used again.

    def _reuse(self) -> None:
        """Gives the layer of a deleted node to the first node that uses it again."""
        written = self.level.data["nodes"]
        nodes = self.level.definition.nodes
        for name in self.names:
            users = [each for each in self.rewiring.order if self._reuses(nodes[each], name)]
            if not users:
                continue
            inside = [each for each in users if "." in getattr(nodes[each], "reuse", "")]
            if inside:
                message = f"{inside[0]} uses {getattr(nodes[inside[0]], 'reuse', '')} again, which would be gone"
                hint = f"delete {inside[0]} too, or give it a layer of its own first"
                path = self.level.at("nodes", inside[0], "reuse")
                raise refused(self.level.document, "GB310", message, path, hint=hint)
            heir, *others = users
            if isinstance(nodes[name], ReuseNode):
                following = getattr(nodes[name], "reuse")  # noqa: B009
                self.rewiring.changes += [Replace(self.level.at("nodes", each, "reuse"), following) for each in users]
                continue
            self.rewiring.changes += self._inherited(written[name], heir)
            self.rewiring.changes += [Replace(self.level.at("nodes", each, "reuse"), heir) for each in others]
            self.rewiring.told.append(f"{heir} has the layer of {name} from now on")

    def _reuses(self, node: Any, name: str) -> bool:
        return isinstance(node, ReuseNode) and node.reuse.partition(".")[0] == name

    def _inherited(self, written: dict[str, Any], heir: str) -> Iterator[Change]:
        """The changes that make a layer or block of a node that used another one's again."""
        path = self.level.at("nodes", heir)
        own = self.level.data["nodes"][heir]
        kind = next(key for key in written if key in ("layer", "op", "fuse", "block"))
        yield Replace((*path, "reuse"), written[kind])
        yield Rename((*path, "reuse"), kind)
        last = next(reversed(own))
        for key, value in written.items():
            if key not in (kind, "from", "when", "about", "call") and key not in own:
                yield Insert(path, key, value, last)

    # Passes of compression.

    def _passes(self) -> None:
        """Takes the names of deleted nodes out of what passes touch."""
        data = self.level.document.source.data.get("compression")
        for index, written in enumerate(data if isinstance(data, list) else ()):
            called = f"pass {index + 1} ({written.get('pass')})"
            where = written.get("where")
            for key in ("nodes", "except"):
                listed_ = where.get(key) if isinstance(where, dict) else None
                if not isinstance(listed_, list):
                    continue
                gone = [number for number, each in enumerate(listed_) if self._names_gone(each)]
                if key == "nodes" and gone and len(gone) == len(listed_):
                    self.rewiring.told.append(f"{called} touches only what is gone: choose other nodes, or remove it")
                elif gone:
                    self.rewiring.changes += [Remove(("compression", index, "where", key, each)) for each in gone]
                    self.rewiring.told.append(f"{called} names {listed([listed_[each] for each in gone])} no more")
            overrides = written.get("overrides")
            for name in overrides if isinstance(overrides, dict) else ():
                if self._names_gone(name):
                    self.rewiring.changes.append(Delete(("compression", index, "overrides", name)))
                    self.rewiring.told.append(f"{called} has no options for {name} any more")

    def _names_gone(self, written: Any) -> bool:
        return isinstance(written, str) and not is_pattern(written) and written.partition(".")[0] in self.names


def draw(document: Document, random: Random) -> Command | None:
    """A command that deletes one to three nodes; None where there are too few.

    Arguments:
        document: a loaded blueprint.
        random: where chance comes from.
    """
    level = Level(document, random.choice([None, None, None, *document.blueprint.blocks]))
    nodes = list(level.definition.nodes)
    if len(nodes) < 4:
        return None
    first = random.randrange(len(nodes))
    several = nodes[first : first + random.randint(1, 3)] if random.random() < 0.5 else [nodes[first]]
    return DeleteNodes(several, random.random() < 0.8, level.block)
