"""Tags on the server: each is confirmed there before its label is sent.

A label of a tag that doesn't exist breaks a 1.2 server for good (every listing of tables answers
500 from then on), and a patch with one takes all other tags with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from metaglean import Change
from metaglean.builtin.server.body import clean
from metaglean.builtin.server.client import Json, Server
from metaglean.builtin.server.names import QualifiedNames
from metaglean.builtin.server.wire import KINDS, REFUSED
from metaglean.errors import ItemError, NotFound
from metaglean.fqn import NameRules, quote
from metaglean.records import Classification, Ref, Tag, TagLabel

if TYPE_CHECKING:
    from metaglean import Run

_LABEL = {"source": "Classification", "labelType": "Automated", "state": "Confirmed"}
_DESCRIBED = "Written by Metaglean."


class Tags:
    """Classifications and tags that this run has seen or created on the server.

    `own` are the classifications whose labels follow the source, `looked_at` those with all that
    labels are added of. Used on the run's thread alone.
    """

    def __init__(
        self, server: Server, run: Run, names: NameRules, qualified: QualifiedNames
    ) -> None:
        self._server = server
        self._run = run
        self._names = names
        self._qualified = qualified
        self._standing: dict[str, dict[str, bool]] = {}  # name → whether it may be used
        self._unread: dict[str, ItemError] = {}
        self._disabled: set[str] = set()  # classifications; their tags aren't even listed
        self.own = {self._stored("classification", name) for name in run.classifications}
        self._others = {self._stored("classification", name) for name in run.other_classifications}

    @property
    def looked_at(self) -> set[str]:
        """The classifications whose labels make a difference."""
        return self.own | self._others

    def labels(self, labels: Iterable[TagLabel]) -> list[Json]:
        """The labels; one whose tag isn't known to stand is marked `refused`, which is a problem:
        it isn't sent, and where it stands on an entity it stays."""
        found = []
        for label in dict.fromkeys(labels):
            ref = Ref("tag", (label.classification, label.name))
            value: Json = {"tagFQN": self._qualified(ref), **_LABEL}
            reason = self._missing(ref)
            if reason:
                value[REFUSED] = True
                self._run.problem(
                    f"the tag {reason}: its label is left out",
                    str(ref),
                    hint="It is tried again in the next run.",
                )
            found.append(value)
        return found

    def _missing(self, ref: Ref) -> str:
        """Why a tag is not known to stand; empty where it does."""
        try:
            usable = self._stands(ref)
        except ItemError as error:
            return f"could not be looked up ({self._run.describe(error)})"
        if usable is None:
            return "is not on the server"
        return "" if usable else "is disabled on the server"

    def write(self, record: Classification | Tag) -> Change:
        """Create it where it isn't there; what stands stays as people left it."""
        if isinstance(record, Classification):
            return self._classification(record)
        return self._tag(record)

    def _classification(self, record: Classification) -> Change:
        stored = self._stored("classification", record.ref.name)
        self.own.add(stored)
        entity = self._find("classification", record.ref)
        if entity is not None and not entity.get("deleted"):
            if entity.get("disabled"):
                self._disabled.add(stored)
            return Change(record.ref, "unchanged")
        self._put("classification", record, stored, {})
        self._standing.setdefault(stored, {})
        return Change(record.ref, "restored" if entity else "created")

    def _tag(self, record: Tag) -> Change:
        if self._stands(record.ref) is not None:
            return Change(record.ref, "unchanged")
        parent = self._stored("classification", record.ref.path[0])
        name = self._stored("tag", record.ref.name)
        self._put("tag", record, name, {"classification": parent})
        self._standing.setdefault(parent, {})[name] = True
        return Change(record.ref, "created")

    def _put(self, kind: str, record: Classification | Tag, name: str, parent: Json) -> None:
        if self._run.dry_run:
            return
        raw = record.ref.name
        shown = record.display_name or (raw if name != raw else None)
        body: Json = {"name": name, "description": record.description or _DESCRIBED, **parent}
        if shown:
            body["displayName"] = shown
        try:
            self._server.put(KINDS[kind].collection, clean(body))
        except ItemError as error:
            if error.status != 409:  # another run made it at the same moment
                raise

    def _stands(self, ref: Ref) -> bool | None:
        """Whether the tag may be used; None where it isn't there."""
        parent = self._stored("classification", ref.path[0])
        if parent in self._disabled:
            return False
        if parent in self._unread:
            raise self._unread[parent]  # its retries are spent: not once more for every label
        if parent not in self._standing:
            try:
                self._standing[parent] = self._listed(parent)
            except ItemError as error:
                self._unread[parent] = error
                raise
        return self._standing[parent].get(self._stored("tag", ref.name))

    def _listed(self, parent: str) -> dict[str, bool]:
        """The names of a classification's live tags, of its own level only. A label of one that is
        switched off would be refused, with all that is sent beside it."""
        try:
            listing = self._server.listing("tags", parent=quote(parent))
            live = [tag for tag in listing if not tag.get("deleted")]
            return {str(tag.get("name")): not tag.get("disabled") for tag in live}
        except NotFound:
            return {}

    def _find(self, kind: str, ref: Ref) -> Json | None:
        return self._server.named(KINDS[kind].collection, self._qualified(ref))

    def _stored(self, kind: str, name: str) -> str:
        return self._names.stored(kind, name)
