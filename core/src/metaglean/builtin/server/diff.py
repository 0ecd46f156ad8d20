"""From what stands and what is wanted to a JSON patch of exactly the fields that differ.

What follows the source always is structure: columns, types, definition, link, our own tags. A text
or owner follows it as long as only bots wrote what stands; what a person wrote stays.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from metaglean import Change
from metaglean.builtin.server.client import Json
from metaglean.builtin.server.digest import is_own, items_key, own_of, part_value
from metaglean.builtin.server.history import UNKNOWN, History
from metaglean.builtin.server.items import ItemsDiff, Operation
from metaglean.builtin.server.wire import REFUSED, VIEWS

_SCALARS = (
    "sourceUrl", "tableType", "tableConstraints", "state", "scheduleInterval", "concurrency",
    "pipelineLocation", "startDate",
)  # fmt: skip
NAMES = {
    "displayName": "display_name",
    "sourceUrl": "source_url",
    "tableType": "table_type",
    "tableConstraints": "table_constraints",
    "scheduleInterval": "schedule_interval",
    "pipelineLocation": "pipeline_location",
    "startDate": "start_date",
    "definition": "schema_definition",
}
"""The server's word for a field → the records' own."""


@dataclass(frozen=True)
class Policy:
    """Who may change what. `texts` is False where the token is a person's: texts and owners are
    only filled then. `weak` says whether the server stores a changed definition or order alone;
    `wipes` whether any patch of a view takes its SQL away (1.1)."""

    is_bot: Callable[[str], bool]
    own: Collection[str]
    key_of: Callable[[str], str]
    override: bool = False
    texts: bool = True
    weak: bool = True
    wipes: bool = False
    denied: Collection[str] = ()
    unsure: Callable[[], bool] = bool  # whether somebody who is no bot may yet be one

    def with_weak(self, *, weak: bool) -> Policy:
        """The same for a server that stores, or doesn't, what is weak."""
        return replace(self, weak=weak)


@dataclass
class Patch:
    """The operations, and what is to be told: field → (stored, new), what was kept and why, and
    who wrote what stood. `settled` is False where another run may write what this one kept."""

    operations: list[Operation] = field(default_factory=list)
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    whose: dict[str, str] = field(default_factory=dict)
    settled: bool = True

    @property
    def bodies(self) -> list[Json]:
        """The operations as they are sent."""
        return [operation.body for operation in self.operations]

    def change(self, change: Change) -> Change:
        """The same change with what this patch does."""
        return change._replace(fields=self.fields, kept=self.kept, whose=self.whose)


class Differ:
    """Computes the patch of one entity, once."""

    def __init__(
        self,
        kind: str,
        stored: Mapping[str, Any],
        wanted: Mapping[str, Any],
        history: History,
        policy: Policy,
    ) -> None:
        self._kind = kind
        self._stored = stored
        self._wanted = wanted
        self._history = history
        self._policy = policy
        self._patch = Patch()

    def patch(self) -> Patch:
        """The patch; without operations where nothing differs that the server would store."""
        wanted = self._wanted
        for name in _SCALARS:
            if name in wanted:
                self._scalar(name)
        if items_key(self._kind) in wanted:
            self._items()
        for name in ("description", "displayName"):
            if wanted.get(name) and name not in self._policy.denied:
                self._text(f"/{name}", name, self._stored.get(name), wanted[name])
        if wanted.get("owners"):
            self._owners()
        if "tags" in wanted:
            self._tags()
        self._definition()
        return self._settled()

    def may_write(self, name: str, stored: Any, wanted: Any, item: str = "") -> bool:
        """Whether a text or the owners may be written over what stands; tells why not."""
        if not wanted or stored == wanted:
            return False
        if not stored:
            return True
        label = NAMES.get(name, name)
        if self._policy.override:
            return True
        if not self._policy.texts:
            self._patch.kept[label] = "the token is a person's: texts are only filled"
            self._patch.settled = False
            return False
        author = self._history.author(name, item)
        if self._policy.is_bot(author):
            self._patch.whose[label] = author
            return True
        if self._history.failed or self._policy.unsure():
            self._patch.settled = False
        who = f"written by {author}" if author != UNKNOWN else "who wrote it can't be read"
        self._patch.kept[label] = who
        return False

    # -- fields -----------------------------------------------------------------------------------

    def _add(self, path: str, value: Any) -> None:
        self._operate({"op": "add", "path": path, "value": value})

    def _operate(self, *bodies: Json, weak: bool = False) -> None:
        self._patch.operations += [Operation(body, weak) for body in bodies]

    def _changed(self, name: str, stored: Any, new: Any) -> None:
        self._patch.fields[NAMES.get(name, name)] = (stored, new)

    def _scalar(self, name: str) -> None:
        stored, wanted = self._stored.get(name), self._wanted[name]
        if part_value(self._kind, name, self._stored, ()) == part_value(
            self._kind, name, self._wanted, ()
        ):
            return
        if wanted in (None, "", []):
            self._operate({"op": "remove", "path": f"/{name}"})
        else:
            self._add(f"/{name}", wanted)
        self._changed(name, stored, wanted)

    def _text(self, path: str, name: str, stored: Any, wanted: Any) -> None:
        if self.may_write(name, stored, wanted):
            self._add(path, wanted)
            self._changed(name, stored, wanted)

    def _owners(self) -> None:
        stored = part_value(self._kind, "owners", self._stored, ())
        wanted = part_value(self._kind, "owners", self._wanted, ())
        key = self._policy.key_of("owners")
        if self.may_write(key, stored, wanted):
            value = self._wanted["owners"]
            self._add(f"/{key}", value if key == "owners" else value[0])
            names = [one.get("name") or one.get("id") for one in self._stored.get("owners") or ()]
            self._patch.fields["owners"] = (names, wanted)
        for told in (self._patch.kept, self._patch.whose):
            if key in told:
                told["owners"] = told.pop(key)

    def _tags(self) -> None:
        """New labels are added one by one; where some go the whole list is one operation, because
        servers apply removals in an order of their own."""
        before = list(self._stored.get("tags") or ())
        wanted = self._wanted["tags"]
        names = {str(label["tagFQN"]) for label in wanted}
        own = own_of(self._policy.own, self._wanted)
        kept = [
            label for label in before if not is_own(label, own) or str(label.get("tagFQN")) in names
        ]
        stands = {str(label.get("tagFQN")) for label in kept}
        new = [one for one in wanted if one["tagFQN"] not in stands and REFUSED not in one]
        if len(kept) < len(before) or (new and not before):
            self._add("/tags", [*kept, *new])
        else:
            for label in new:
                self._add("/tags/-", label)
        if new or len(kept) < len(before):
            after = stands | {str(label["tagFQN"]) for label in new}
            old = {str(label.get("tagFQN")) for label in before}
            self._patch.fields["tags"] = (sorted(old), sorted(after))

    def _items(self) -> None:
        key = items_key(self._kind)
        found = ItemsDiff(f"/{key}", key, self._policy, self.may_write)
        found.compare(self._stored.get(key) or [], self._wanted[key])
        self._patch.operations += found.operations
        self._patch.fields.update(found.fields)

    def _definition(self) -> None:
        """The SQL: stored alone only by servers that compare it; carried along where any patch
        would wipe it; taken away where a view becomes a table."""
        key = self._policy.key_of("definition")
        stored = self._stored.get("definition")
        kind = self._wanted.get("tableType") or self._stored.get("tableType")
        if "definition" in self._wanted:
            wanted = self._wanted["definition"]
        elif stored and kind not in VIEWS and key == "viewDefinition":
            wanted = None
        elif stored and self._policy.wipes:
            wanted = stored
        else:
            return
        operation: Json = {"op": "add", "path": f"/{key}", "value": wanted}
        if not wanted:
            operation = {"op": "remove", "path": f"/{key}"}
        if (stored or None) != (wanted or None):
            self._operate(operation, weak=True)
            self._changed("definition", stored, wanted)
        elif stored and self._policy.wipes:
            self._operate(operation, weak=True)

    def _settled(self) -> Patch:
        """Weak operations go along with others; alone only to servers that store them so."""
        patch = self._patch
        if not self._policy.weak and all(operation.weak for operation in patch.operations):
            patch.kept |= dict.fromkeys(patch.fields, ALONE)
            patch.fields.clear()
            patch.operations.clear()
        return patch


ALONE = "this version of the server doesn't store it without another change"
