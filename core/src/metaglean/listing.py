"""A listing: the inventory of one kind below one parent, seen whole before anything is yielded.

It is incomplete unless its iterator ran to its own end and nothing in it was skipped: a break, a
return, an exception, a page given up, a limit or a filter on the far side leave it incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from metaglean import fqn
from metaglean.errors import RunError, catching
from metaglean.names import Listed, NameBook, Note
from metaglean.records import Ref
from metaglean.standing import Standing

if TYPE_CHECKING:
    from metaglean.run import Run
    from metaglean.standing import Existing


_DONE = Listed("", "")


def _by_position(notes: Iterable[Note]) -> dict[int, list[Note]]:
    found: dict[int, list[Note]] = {}
    for note in notes:
        found.setdefault(note.position, []).append(note)
    return found


class Recorder(Protocol):
    """Who is shown what a run lists (the spool)."""

    def stood(self, ask: Callable[[], Iterable[Existing]], run: Run) -> Iterable[Existing]:
        """What stands in a scope, as `ask` gives it."""

    def listed(self, listing: Listing, items: Sequence[Listed], ages: Sequence[Any]) -> None:
        """The items of an inventory, once they have names; `ages` are what each was `created`."""


class Listing:
    """Made by `Run.listing`; `over` does the work.

    `followed` says whether the source's records carry what a target needs to know an id again
    (a `source_url` that holds it); where not, all of several equal names get a part of their id.
    """

    def __init__(self, run: Run, kind: str, scope: Ref, standing: Standing, followed: bool) -> None:
        self.kind = kind
        self.scope = scope
        self.standing = standing
        self.filtered: set[str] = set()
        self.ids: list[str] = []
        self.given: list[str | None] = []
        self._own: list[str | None] = []  # the names that the source knows them by
        self._run = run
        self.followed = followed
        self._ages: list[Any] = []
        self._reasons: list[str] = []
        self._begun = False
        self._ended = False
        self._expected: dict[Ref, str] = {}

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the listing is incomplete; empty where it is complete."""
        if self._reasons or self._ended:
            return tuple(self._reasons)
        return ("it was not read to its end",)

    @property
    def failures(self) -> tuple[str, ...]:
        """The reasons that are failures: all but that nobody read to the end."""
        return tuple(self._reasons)

    @property
    def complete(self) -> bool:
        return not self.reasons

    def incomplete(self, reason: str) -> None:
        """Say that something was left out, so that nothing is deleted because of this listing."""
        if reason not in self._reasons:
            self._reasons.append(reason)

    def over(self, inventory: Iterable[Listed]) -> Iterator[tuple[Ref, Listed]]:
        """Drain the inventory, give names, then yield (ref, item) of what the filters keep.

        An inventory that raises is a problem and makes the listing incomplete; what it gave until
        then is yielded.
        """
        if self._begun:
            raise RunError(f"the listing of {self.scope} ({self.kind}) was read twice in one run")
        self._begun = True
        listed = self._drain(inventory)
        wanted = self._renamed(listed)
        book = NameBook(
            wanted,
            self.standing,
            self._run.names,
            complete=not self._reasons,
            followed=self.followed,
            gone=lambda ids: self._run.confirm_gone(self.kind, ids),
        )
        self.given = self._own = book.names
        if self._run.recorder:
            self._run.recorder.listed(self, wanted, self._ages)
            self._ages = []
        if self.renames:
            self._translate(listed)
        self._run.report.total(self.kind, len(listed))
        yield from self._kept(listed, _by_position(book.notes))
        self._ended = True

    @property
    def target(self) -> Ref:
        """The scope in the target, where names may be others than at the source."""
        return self.standing.scope

    @property
    def renames(self) -> bool:
        """Whether rules give names of this kind others in the target."""
        return self._run.renaming.concerns(self.kind)

    def is_of(self, ref: Ref) -> bool:
        """Whether it names what is like this ref: of its kind and parent."""
        return (self.kind, self.scope) == (ref.kind, ref.parent)

    def clashes(self, ref: Ref) -> bool:
        """Whether a ref that was not listed would get the new name of one that was."""
        if not self.renames or ref.name in self._own:
            return False
        return self._run.renaming(ref).name in self.given

    def _renamed(self, listed: list[Listed]) -> list[Listed]:
        """The inventory as the target's name book sees it."""
        if not self.renames:
            return listed
        name = self._run.renaming.name
        return [item._replace(name=name(self.kind, item.name)) for item in listed]

    def _translate(self, listed: list[Listed]) -> None:
        """Give each a name that is its own at the source too, and say which one is the target's."""
        own = Standing(self.kind, self.scope)
        self._own = NameBook(listed, own, self._run.names).names
        for name, given in zip(self._own, self.given, strict=True):
            if name is not None and given is not None:
                self._run.renaming.give(self.scope.child(self.kind, name), given)

    def _drain(self, inventory: Iterable[Listed]) -> list[Listed]:
        listed: list[Listed] = []
        seen: set[str] = set()
        with catching() as caught:
            for item in inventory:
                if self._run.stopping:
                    self.incomplete("the run was asked to end")
                    break
                identifier: object = item.id
                if not isinstance(identifier, str) or not identifier:
                    self._run.problem("listed without an id (a text)", item.name or self.kind)
                    self.incomplete("an item without an id was listed")
                elif item.id not in seen:
                    listed.append(self._shared(item._replace(name=str(item.name or ""))))
                    seen.add(listed[-1].id)
                    if self._run.recorder:
                        self._ages.append(item.created)
        if caught.error:
            reason = f"listing {self.kind}s failed: {self._run.describe(caught.error)}"
            self._run.problem(reason, str(self.scope), error=caught.error)
            self.incomplete(reason)
        self.ids = [item.id for item in listed]
        return listed

    def arrived(self, ref: Ref) -> str | None:
        """The id that was listed under this ref, once: when its record comes by."""
        return self._expected.pop(ref, None)

    def _shared(self, item: Listed) -> Listed:
        """The same item; where it stands, its texts are those that the standing ones hold already,
        and its age is dropped (only fresh names need it): half the memory of a second run."""
        name = self.standing.name_of(item.id)
        if name is None:
            return item
        source_id = self.standing.source_id_of(name) or item.id
        return Listed(source_id, name if name == item.name else item.name, None, item.item)

    def _kept(
        self, listed: list[Listed], notes: dict[int, list[Note]]
    ) -> Iterator[tuple[Ref, Listed]]:
        pattern = self._run.filters.pattern(self.kind)
        named = 0
        value = ""
        for index, name in enumerate(self._own):
            item = listed[index]
            listed[index] = _DONE  # what was yielded is not kept
            if name is None or self.given[index] is None:
                self._tell(item, notes.get(index, ()))
                continue
            named += 1
            ref = self.scope.child(self.kind, name)
            value = fqn.build(ref.path) if self._run.filters.use_fqn else item.name
            if pattern and not pattern.keeps(value):
                self.filtered.add(item.id)
                self._run.count(self.kind, "filtered")
            else:
                self._tell(item, notes.get(index, ()))
                self._expected[ref] = item.id
                yield ref, item
        if pattern and named and len(self.filtered) == named:
            self._run.warn(
                f"{pattern.key} keeps none of {named} ({self.kind}), for example {value!r}"
            )

    def _tell(self, item: Listed, notes: Iterable[Note]) -> None:
        for note in notes:
            tell = self._run.problem if note.problem else self._run.warn
            tell(note.message, item.name or item.id)
