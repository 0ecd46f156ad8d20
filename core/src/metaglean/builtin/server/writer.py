"""Writes single entities: PUT creates, PATCH changes, restore restores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from metaglean import Change
from metaglean.builtin.server.adapt import Adaptation
from metaglean.builtin.server.client import Json, Server
from metaglean.builtin.server.diff import ALONE, Differ, Patch, Policy
from metaglean.builtin.server.digest import source_hash
from metaglean.builtin.server.history import history
from metaglean.builtin.server.names import QualifiedNames
from metaglean.builtin.server.wire import KINDS, fields_of, from_wire, to_hash, to_wire
from metaglean.errors import AccessDenied, ItemError, NotFound
from metaglean.fqn import NameRules
from metaglean.records import Ref

if TYPE_CHECKING:
    from metaglean import Run

ATTEMPTS = 6
UNGUARDED_AFTER = 3
_UNKNOWNS = 12
_FIRST_WAIT = 0.25
_AGAIN = frozenset({None, 400, 404, 409, 412, 429})
Result = TypeVar("Result")


class Job(NamedTuple):
    """One entity to write: its values, the hash over them (empty where the server keeps none), and
    the id of what stands (None: nothing does). `settled` says that all was read and nothing
    refused."""

    ref: Ref
    values: Json
    hash: str = ""
    entity_id: str | None = None
    settled: bool = True


class Writer:
    """Writes the entities of one run; safe from any thread."""

    def __init__(
        self,
        server: Server,
        run: Run,
        names: NameRules,
        qualified: QualifiedNames,
        policy: Policy,
        adaptation: Adaptation,
    ) -> None:
        self._server = server
        self._run = run
        self._names = names
        self._qualified = qualified
        self._policy = policy
        self._adaptation = adaptation

    def write(self, job: Job) -> Change:
        """Create or change one entity."""
        if job.entity_id is None:
            return self._create(job)
        return self._update(job, job.entity_id)

    def body(self, job: Job) -> Json:
        """The body that creates the entity on this server."""
        ref, features = job.ref, self._server.features
        spec = KINDS[ref.kind]
        body: Json = {"name": self._names.stored(ref.kind, ref.name)}
        if spec.parent and ref.parent:
            body[spec.parent] = self._qualified(ref.parent)
        body |= to_wire(features, self._adaptation.words.replaced(job.values))
        if body["name"] != ref.name:
            body.setdefault("displayName", ref.name)
        if ref.kind == "table":
            body.setdefault("columns", [])
        if job.hash and features.has("sourceHash"):
            body["sourceHash"] = job.hash
        return self._adaptation.pruned(body)

    def hash_of(self, ref: Ref, values: Mapping[str, Any]) -> str:
        """`sourceHash` over what would be sent; empty where the server keeps none."""
        if not self._server.features.has("sourceHash") or ref.kind not in HASHED:
            return ""
        parent = {"parent": self._qualified(ref.parent)} if ref.parent else {}
        body = to_hash(values)
        return source_hash({"name": self._names.stored(ref.kind, ref.name), **parent, **body})

    def left_out(self, names: Iterable[str]) -> set[str]:
        """Which of these fields are not sent to this server."""
        return self._adaptation.left_out(names)

    # -- create -----------------------------------------------------------------------------------

    def _create(self, job: Job) -> Change:
        created = Change(job.ref, "created")
        if self._run.dry_run:
            return created
        collection = KINDS[job.ref.kind].collection
        try:
            answer = self._adapting(lambda: self._server.put(collection, self.body(job)))
        except ItemError as error:
            found = None
            if error.status == 409:  # another run made it at the same moment
                found = self._server.named(collection, self._qualified(job.ref))
            if found is None:
                raise
            entity = found
        else:
            entity = answer.body if isinstance(answer.body, dict) else {}
            self._keep(job.ref, entity)
            if answer.status != 200:
                return created
        # It stood after all, or an answer was lost: a PUT over it may not have stored everything.
        change = self._update(job, str(entity["id"])) if entity.get("id") else created
        return created if change.action == "unchanged" else change

    def _adapting(self, call: Callable[[], Result]) -> Result:
        """Call until the server knows all that is sent."""
        for _ in range(_UNKNOWNS):
            try:
                return call()
            except ItemError as error:
                if not self._adaptation.learnt(error):
                    raise
        return call()

    def _keep(self, ref: Ref, entity: Mapping[str, Any]) -> None:
        if ref.kind in CONTAINERS:
            self._qualified.learn(ref, entity)

    # -- change -----------------------------------------------------------------------------------

    def _update(self, job: Job, entity_id: str) -> Change:
        """Read, compute, send; after a lost answer, a conflict or a fault all three anew."""
        restored = False
        versions: list[Any] = []
        lost: Patch | None = None
        labels: list[Json] = []
        for attempt in range(ATTEMPTS):
            stored = self._read(job.ref, entity_id)
            if stored is None:
                if job.entity_id is None:
                    raise NotFound(f"{job.ref} is gone right after it was written", status=404)
                return self._create(job._replace(entity_id=None))
            self._keep(job.ref, stored)
            versions.append(stored.get("version"))
            if stored.get("deleted"):
                restored = True
                stored = self._restored(job.ref, stored)
            patch = self._patch(job, stored)
            # Where the version stays and yet the patch fails again, the guard itself may be it.
            guarded = versions.count(versions[-1]) <= UNGUARDED_AFTER
            try:
                if self._put_back(job.ref, stored, labels):
                    continue
                sent = self._send(job, entity_id, stored, patch, guarded=guarded)
            except ItemError as error:
                labels = labels or _taken(error, stored)
                if not self._again(error, patch, attempt):
                    raise
                if (error.status or 500) >= 500:
                    lost = patch
                continue
            if lost and not patch.bodies:  # it had arrived after all
                sent, patch = bool(lost.bodies), lost
            self._tell(job.ref, patch)
            change = Change(job.ref, "updated" if sent else "unchanged")
            return patch.change(change._replace(action="restored") if restored else change)
        raise ItemError(f"{job.ref} changes at the server again and again", status=409)

    def _read(self, ref: Ref, entity_id: str) -> Json | None:
        path = f"{KINDS[ref.kind].collection}/{entity_id}"
        fields = fields_of(self._server.features, ref.kind)
        found = self._server.find(path, fields=fields, include="all")
        return from_wire(self._server.features, found) if isinstance(found, dict) else None

    def _restored(self, ref: Ref, stored: Json) -> Json:
        """The entity as it stands after its restore."""
        if self._run.dry_run:
            return {**stored, "deleted": False}
        self._server.restore(KINDS[ref.kind].collection, str(stored["id"]))
        return self._read(ref, str(stored["id"])) or stored

    def _patch(self, job: Job, stored: Json, *, weak: bool | None = None) -> Patch:
        policy = self._policy if weak is None else self._policy.with_weak(weak=weak)
        collection = KINDS[job.ref.kind].collection
        past = history(self._server, collection, str(stored["id"]))
        wanted = self._adaptation.words.replaced(job.values)
        return Differ(job.ref.kind, stored, wanted, past, policy).patch()

    def _send(
        self,
        job: Job,
        entity_id: str,
        stored: Json,
        patch: Patch,
        *,
        guarded: bool,
    ) -> bool:
        """Send what there is to send; returns whether there was anything."""
        path = f"{KINDS[job.ref.kind].collection}/{entity_id}"
        operations = self._known(patch)
        sent = bool(operations)
        if operations and "lifeCycle" in job.values and self._server.features.has("lifeCycle"):
            operations.append(_add("lifeCycle", job.values["lifeCycle"]))
        stamp = bool(job.hash) and patch.settled and stored.get("sourceHash") != job.hash
        if stamp and (operations or job.settled) and self._server.features.has("sourceHash"):
            operations.append(_add("sourceHash", job.hash))
        if self._run.dry_run:
            return bool(patch.fields)
        if operations:
            guard = _unchanged(stored) if guarded else []
            version = stored.get("version") if guarded else None
            self._server.patch(path, [*guard, *operations], version)
        elif patch.kept.get("schema_definition") == ALONE and not stored.get("definition"):
            sent = self._with_link(path, job, stored)
            if sent:
                patch.kept = {name: why for name, why in patch.kept.items() if why != ALONE}
                patch.fields["schema_definition"] = (None, job.values["definition"])
        return sent

    def _known(self, patch: Patch) -> list[Json]:
        """The operations on what the server knows; none where only weak ones are left that it
        doesn't store, or refuses (1.1), alone."""
        known = [
            (operation.weak, body)
            for operation in patch.operations
            for body in self._adaptation.operations([operation.body])
        ]
        if not self._policy.weak and all(weak for weak, _ in known):
            return []
        return [body for _, body in known]

    def _put_back(self, ref: Ref, stored: Json, labels: list[Json]) -> bool:
        """A patch that names a tag which is gone takes all labels of the entity with it on 1.2."""
        there = list(stored.get("tags") or ())
        names = {label.get("tagFQN") for label in there}
        lost = [label for label in labels if label.get("tagFQN") not in names]
        adding = self._adaptation.operations(_add("tags/-", label) for label in lost)
        if adding:
            path = f"{KINDS[ref.kind].collection}/{stored['id']}"
            whole = _add("tags", [*there, *(one["value"] for one in adding)])
            self._server.patch(path, [*_unchanged(stored), whole], stored.get("version"))
        return bool(adding)

    def _with_link(self, path: str, job: Job, stored: Json) -> bool:
        """A soft delete, of the view or what it is in, takes its SQL away on 1.2, which stores it
        only together with another change: the link gets an empty fragment, and loses it again."""
        link = stored.get("sourceUrl")
        if link:
            patch = self._patch(job, stored, weak=True)
            change = [*_unchanged(stored), *patch.bodies, _add("sourceUrl", f"{link}#")]
            self._server.patch(path, change, None)
            self._server.patch(path, [_add("sourceUrl", link)], None)
        return bool(link)

    def _again(self, error: ItemError, patch: Patch, attempt: int) -> bool:
        """Whether to read, compute and send once more."""
        if attempt == ATTEMPTS - 1 or self._run.stopping:
            return False
        if self._adaptation.learnt(error):
            return True
        if isinstance(error, AccessDenied):
            return self._adaptation.denied(error, patch.bodies)
        if error.status == 400 and attempt:
            return False
        if error.status in _AGAIN or (error.status or 0) >= 500:
            self._run.clock.sleep(_FIRST_WAIT * 2**attempt)
            return True
        return False

    def _tell(self, ref: Ref, patch: Patch) -> None:
        if ALONE in patch.kept.values():
            self.cannot_store(ref)

    def cannot_store(self, ref: Ref) -> None:
        """Say that a change alone isn't stored."""
        self._run.warn(
            "its changed SQL or order of columns is not written: " + ALONE,
            str(ref),
            hint="It is written with the next other change of this entity.",
        )


CONTAINERS = frozenset({"databaseService", "pipelineService", "database", "databaseSchema"})
HASHED = frozenset({"database", "databaseSchema", "table", "pipeline"})


def _unchanged(stored: Mapping[str, Any]) -> list[Json]:
    """The patch is for this version: servers before 1.10 know no `If-Match`, but refuse a patch
    whose `test` fails."""
    version = stored.get("version")
    return [] if version is None else [{"op": "test", "path": "/version", "value": version}]


def _taken(error: ItemError, stored: Mapping[str, Any]) -> list[Json]:
    """The labels that a refused patch may have taken from an entity."""
    return list(stored.get("tags") or ()) if error.status == 404 else []


def _add(name: str, value: Any) -> Json:
    return {"op": "add", "path": f"/{name}", "value": value}
