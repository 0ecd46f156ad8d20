"""The name book: which name each listed entity gets. A name, once given, never moves.

Over the complete unfiltered inventory and before the first entity is yielded:

- an entity whose id stands in the target keeps exactly the name it has there;
- a name wanted once is used as it is (cut and cleaned as the target needs it);
- of several that want one name the oldest gets it, the rest `name_<first 8 of id>`;
- names that differ only in case count as one name wanted several times;
- a name that stands for another id is taken over only if that id is gone for certain, and is not
  used at all while the inventory is incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from metaglean.fqn import SUFFIX_LENGTHS, NameRules, comparable
from metaglean.standing import Standing

Gone = Callable[[Sequence[str]], Iterable[str] | None]


class Listed(NamedTuple):
    """One item of an inventory: the platform's id, its name there, when it was made (anything that
    sorts; the oldest keeps a name that several want), and whatever the source wants back."""

    id: str
    name: str
    created: Any = None
    item: Any = None


class Note(NamedTuple):
    """Something to tell about a name: which entity (`position` in the inventory) and what."""

    position: int
    message: str
    problem: bool = False


def _members(group: int | list[int]) -> list[int]:
    return [group] if isinstance(group, int) else group


class NameBook:
    """Gives the names of one inventory. `names[i]` is that of item i, None if it must wait."""

    def __init__(
        self,
        listed: Sequence[Listed],
        standing: Standing,
        rules: NameRules,
        *,
        complete: bool = True,
        followed: bool = True,
        gone: Gone | None = None,
    ) -> None:
        self.names: list[str | None] = [None] * len(listed)
        self.notes: list[Note] = []
        self._listed = listed
        self._standing = standing
        self._rules = rules
        self._kind = standing.kind
        self._complete = complete
        self._followed = followed
        self._taken: set[str] = set()
        self._holders: dict[str, list[str]] = {}
        fresh = self._keep_given()
        if fresh:
            self._give_fresh(fresh, gone)
        del self._taken, self._holders

    def _give_fresh(self, fresh: list[int], gone: Gone | None) -> None:
        """Name those that don't stand yet; nothing of this costs anything in a steady state."""
        self._taken.update(self._key(name) for name in self.names if name is not None)
        self._holders = self._unclaimed()
        groups = self._wanted(fresh)
        self._free(groups, gone)
        losers = [
            loser for key in sorted(groups) for loser in self._give_base(key, _members(groups[key]))
        ]
        self._taken.update(groups)
        for index, among in losers:
            self._give_suffixed(index, among)

    def _key(self, name: str) -> str:
        return comparable(self._rules.stored(self._kind, name))

    def _keep_given(self) -> list[int]:
        """Names of those that stand; returns the indices of the others."""
        fresh = []
        for index, item in enumerate(self._listed):
            name = self._standing.name_of(item.id)
            if name is None:
                fresh.append(index)
            else:
                self.names[index] = name
        return fresh

    def _unclaimed(self) -> dict[str, list[str]]:
        """Comparable name → the names that stand in the target for nothing that was listed."""
        given = {name for name in self.names if name is not None}
        holders: dict[str, list[str]] = {}
        for name in self._standing.names():
            if name not in given:
                holders.setdefault(self._key(name), []).append(name)
        return holders

    def _wanted(self, fresh: Iterable[int]) -> dict[str, int | list[int]]:
        """Comparable name → who wants it, oldest first (a bare index where it is only one, which
        keeps the book of a large inventory small)."""
        groups: dict[str, int | list[int]] = {}
        for index in fresh:
            key = self._key(self._base(index))
            others = groups.get(key)
            groups[key] = index if others is None else [*_members(others), index]
        for members in groups.values():
            if isinstance(members, list):
                members.sort(key=self._age)
        return groups

    def _age(self, index: int) -> tuple[bool, Any, str]:
        item = self._listed[index]
        return (item.created is None, 0 if item.created is None else item.created, item.id)

    def _base(self, index: int, room: int = 0) -> str:
        """What item `index` wants to be called, as the target can hold it."""
        item = self._listed[index]
        return self._rules.fit(self._kind, item.name, room) or self._rules.fit(
            self._kind, item.id, room
        )

    def _free(self, groups: Iterable[str], gone: Gone | None) -> None:
        """Let go of holders that are gone at the source for certain, or that never had an id."""
        contested = {
            source_id
            for key in groups
            for name in self._holders.get(key, ())
            if (source_id := self._standing.source_id_of(name)) is not None
        }
        if self._complete and contested:
            certain = gone(sorted(contested)) if gone else None
            freed = contested if certain is None else contested & set(certain)
        else:
            freed = set()
        for key in [key for key in groups if key in self._holders]:
            left = [
                name
                for name in self._holders[key]
                if (source_id := self._standing.source_id_of(name)) is not None
                and source_id not in freed
            ]
            if left:
                self._holders[key] = left
            else:
                del self._holders[key]

    def _give_base(self, key: str, members: list[int]) -> list[tuple[int, int]]:
        """Give the wanted name itself; returns (index, how many want it) of those left over."""
        alone = len(members) == 1
        first = members[0]
        if key in self._holders and not self._complete:
            self._note(first, "its name stands in the target for another id, and the listing is "
                       "incomplete: not written in this run", problem=True)  # fmt: skip
            return [(index, len(members)) for index in members[1:]]
        if key in self._taken or key in self._holders or not (alone or self._followed):
            return [(index, max(len(members), 2)) for index in members]
        self._give(first, self._base(first))
        return [(index, len(members)) for index in members[1:]]

    def _give_suffixed(self, index: int, among: int) -> None:
        """Give `name_<part of id>`, the base cut to make room."""
        source_id = self._listed[index].id
        for length in (*SUFFIX_LENGTHS, len(source_id)):
            suffix = self._rules.fit(self._kind, f"_{source_id[:length]}")
            room = len(self._rules.stored(self._kind, suffix))
            name = self._base(index, room) + suffix
            key = self._key(name)
            if key not in self._taken and key not in self._holders:
                self._taken.add(key)
                self._give(index, name)
                self._note(index, f"the name is wanted {among} times (or was taken): stored with "
                           "a part of its id")  # fmt: skip
                return
        self._note(index, "no free name: not written in this run", problem=True)

    def _give(self, index: int, name: str) -> None:
        self.names[index] = name
        wanted = self._listed[index].name
        if not wanted:
            self._note(index, "has no name: stored under its id")
        elif len(self._rules.stored(self._kind, wanted)) > self._rules.max_length:
            self._note(index, f"name cut to {self._rules.max_length} characters")
        elif self._rules.stored(self._kind, wanted) != wanted:
            self._note(index, "name holds characters that can't be stored: written as stand-ins")

    def _note(self, index: int, message: str, problem: bool = False) -> None:
        self.notes.append(Note(index, message, problem))
