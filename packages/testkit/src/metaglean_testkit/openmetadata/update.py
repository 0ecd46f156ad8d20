"""What a PUT or PATCH makes of an entity that stands: who keeps what, and the version it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from metaglean_testkit.openmetadata import columns, labels
from metaglean_testkit.openmetadata.changes import Changes, dumps, next_version
from metaglean_testkit.openmetadata.errors import Json, bad, unmapped
from metaglean_testkit.openmetadata.store import Record

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.world import World


class Update:
    """One update of one entity. `old` and `new` are whole: with owners, labels, domains."""

    def __init__(
        self,
        world: World,
        record: Record,
        old: Json,
        new: Json,
        *,
        put: bool,
        bot: bool,
        override: bool = False,
    ) -> None:
        self.world = world
        self.record = record
        self.kind = world.kind_of(record)
        self.old = old
        self.new = new
        self.put = put
        self.bot = bot
        self.override = override
        self.changes = Changes()
        self.silent = False  # something is to be stored that makes no version

    def has(self, feature: str) -> bool:
        """Whether the version has a feature."""
        return self.world.features.has(feature)

    @property
    def keeps_text(self) -> bool:
        """A bot's PUT never changes a text that stands."""
        return self.put and self.bot

    def overrides(self, sent: Any) -> bool:
        """Whether the text sent wins although a bot sends it."""
        return self.override and bool(sent)

    # -- the whole -------------------------------------------------------------------------

    def run(self) -> Json:
        """Store what changed. The answer's entity. Raises `Refused`."""
        if self.old.get("deleted") and self.put:
            self.changes.record("deleted", True, False)
        self._texts()
        self._owners()
        self._extension()
        self._tags()
        self._domains()
        self._products()
        self._kept_by_server()
        self._own_fields()
        self.new["id"] = self.old["id"]
        return self._store()

    def _store(self) -> Json:
        old, new, version = self.old, self.new, self.old["version"]
        if self.changes:
            new["version"] = next_version(version, major=self.changes.major)
            new["updatedAt"] = self.world.state.now()
        else:
            new.update(version=version, updatedBy=old["updatedBy"], updatedAt=old["updatedAt"])
        new["changeDescription"] = self.changes.describe(version)
        if self.changes:
            self.record.history.insert(0, dumps(old))
        if self.changes or self.silent:
            stored = self.world.stored(self.kind, new)
            if not self.changes and "changeDescription" in old:
                stored["changeDescription"] = old["changeDescription"]
            elif not self.changes:
                stored.pop("changeDescription", None)
            self.record.body = stored
        return new

    # -- what all kinds have ----------------------------------------------------------------

    def _texts(self) -> None:
        for key in ("description", "displayName"):
            keeps = self.keeps_text and bool(self.old.get(key))
            if key == "displayName" and self.has("display_name_by_put"):
                keeps = keeps and self.world.policy.denies("EditDisplayName")
            if keeps and not self.overrides(self.new.get(key)):
                self.new[key] = self.old[key]
            else:
                self.changes.record(key, self.old.get(key), self.new.get(key))

    def _owners(self) -> None:
        if not self.kind.ownable:
            return
        key = self.world.owner_key
        old, new = self.old.get(key), self.new.get(key)
        if self.put and not new:
            self._restore(key, old)
            return
        before = self.record.owners
        after = [(one["type"], one["id"]) for one in self._listed(new)]
        if before != after:
            shown = self.world.views.owners(after)
            self.changes.record(key, _bare(old) or None, _bare(shown) or None, text=True)
            self.record.owners = after
            self._restore(key, shown)

    def _extension(self) -> None:
        old, new = self.old.get("extension"), self.new.get("extension")
        if new is None and self.put and (self.bot or self.has("owners")):
            self._restore("extension", old)
        elif old != new:
            self.changes.record("extension", old, new, text=True)

    def _tags(self) -> None:
        if self.kind.taggable:
            self.update_tags(str(self.old["fullyQualifiedName"]), "tags", self.old, self.new)

    def update_tags(self, fqn: str, field: str, old: Json, new: Json) -> None:
        """Labels of the entity or of one of its columns; merged by a PUT, replaced by a PATCH."""
        sent = new.get("tags")
        before, after = list(old.get("tags") or []), list(sent or [])
        if not before and not after:
            return
        state = self.world.state
        # Gone first and written again after the checks: what fails in between stays lost.
        state.labels.pop(fqn, None)
        if self.put and not (self.override and after):
            after = labels.merged(after, before)
        labels.exclusive(state, after)
        self.changes.record_list(
            field, [_label(one) for one in before], [_label(one) for one in after], labels.same
        )
        after.sort(key=lambda label: str(label["tagFQN"]))
        labels.assign(state, fqn, after)
        if sent is not None:
            new["tags"] = labels.read(state, fqn)

    def _domains(self) -> None:
        if not self.kind.votable and self.kind.type not in {"team", "dataProduct"}:
            return
        key = self.world.domain_key
        old, new = self.old.get(key), self.new.get(key)
        kept = self.bot and bool(old) and self.has("bot_keeps_domain")
        if self.put and (not new or kept):
            self._restore(key, old)
            return
        after = [one["id"] for one in self._listed(new)]
        if after != self.record.domains:
            self.changes.record(key, _bare(old) or None, _bare(new) or None, text=True)
            self.record.domains = after

    def _products(self) -> None:
        old, new = self.old.get("dataProducts") or [], self.new.get("dataProducts") or []
        keeps = self.put and self.bot and self.has("bot_keeps_data_products")
        if not new and old and keeps:
            self.new["dataProducts"] = old
            return
        after = products(self.world, self.new)
        self.changes.record_list(
            "dataProducts", _bare(old), _bare(new), lambda one, other: one["id"] == other["id"]
        )
        self.record.products = after

    def _kept_by_server(self) -> None:
        """Style, life cycle, certification."""
        for key in ("style", "lifeCycle"):
            if self.put and self.new.get(key) is None and self.has("source_hash"):
                self._restore(key, self.old.get(key))
        old, new = self.old.get("certification"), self.new.get("certification")
        if self.put and new is None and self.has("certification_cleared"):
            if self.bot and self.has("bot_keeps_certification"):
                self._restore("certification", old)
            elif old is not None:
                self.silent = True  # lost without a version
        elif self.put:
            self._restore("certification", old)
        elif old != new:
            self.changes.record("certification", old, new, text=True)

    # -- what one kind has --------------------------------------------------------------------

    def _own_fields(self) -> None:
        compared = list(self.kind.compared)
        for key in compared:
            old, new = self.old.get(key), self.new.get(key)
            if key == "state" and not self.has("if_match"):
                continue
            structured = isinstance(old or new, dict | list)
            self.changes.record(key, old or None, new or None, text=structured)
        if self.kind.type == "table":
            self._definition()
            columns.update(self, "columns", self.old.get("columns") or [], self.new["columns"])
        if self.kind.type == "pipeline":
            self._tasks()
        if "connection" in self.kind.kept and self.old.get("connection") != self.new.get(
            "connection"
        ):
            self.changes.record(
                "connection", "old-encrypted-value", "new-encrypted-value", text=True
            )
        self._hash()

    def _definition(self) -> None:
        key = self.world.definition_key
        if self.has("definition_compared"):
            self.changes.record(key, self.old.get(key), self.new.get(key))

    def _tasks(self) -> None:
        old, new = self.old.get("tasks") or [], self.new.get("tasks") or []
        self.changes.record_list("tasks", old, new, lambda one, other: one["name"] == other["name"])
        stored = {task["name"]: task for task in old}
        for task in new:
            before = stored.get(task["name"])
            if before is None:
                continue
            if self.keeps_text and before.get("description"):
                task["description"] = before["description"]
            else:
                self.changes.record(
                    f"tasks.{task['name']}.description",
                    before.get("description"),
                    task.get("description"),
                )

    def _hash(self) -> None:
        old, new = self.old.get("sourceHash"), self.new.get("sourceHash")
        if old == new or not self.has("source_hash"):
            return
        if self.has("hash_without_version"):
            self.silent = True
        else:
            self.changes.record("sourceHash", old, new)

    # -- helpers -----------------------------------------------------------------------------

    def _restore(self, key: str, value: Any) -> None:
        if value is None:
            self.new.pop(key, None)
        else:
            self.new[key] = value

    @staticmethod
    def _listed(value: Any) -> list[Json]:
        if value is None:
            return []
        return list(value) if isinstance(value, list) else [value]


def products(world: World, entity: Json) -> list[str]:
    """The ids of its data products. Raises `Refused` for those that the version can't look up by
    name, and, from 1.7 on, where there is no domain."""
    references = entity.get("dataProducts") or []
    needs = world.features.has("products_need_domain")
    if references and needs and not entity.get(world.domain_key):
        raise bad("Domain cannot be empty when data products are provided.")
    if any("id" not in one for one in references):
        raise unmapped('Cannot invoke "java.util.UUID.toString()" because "id" is null')
    return [one["id"] for one in references]


def _bare(value: Any) -> Any:
    """References without their links, as they stand in a change."""
    if isinstance(value, list):
        return [_bare(one) for one in value]
    if isinstance(value, dict):
        return {key: one for key, one in value.items() if key != "href"}
    return value


def _label(label: Json) -> Json:
    keys = ("tagFQN", "name", "description", "source", "labelType", "state")
    return {key: label[key] for key in keys if label.get(key) is not None}
