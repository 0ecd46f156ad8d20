"""The name book: which name each listed entity gets. A name, once given, never moves.

Over the complete unfiltered inventory and before the first entity is yielded:

- an entity whose id stands in the target keeps exactly the name it has there;
- a name that stands there without an id is kept by the one it fits, oldest first;
- a name wanted once is used as it is (cut and cleaned as the target needs it);
- of several that want one name the oldest gets it, the rest `name_<first 8 of id>`;
- names that differ only in case count as one name wanted several times;
- a name that stands for another id is taken over only if that id is gone for certain, and is not
  used at all while the inventory is incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
        """Name those whose id doesn't stand; nothing of this costs anything in a steady state."""
        self._taken.update(self._key(name) for name in self.names if name is not None)
        self._holders = self._unclaimed()
        groups = self._wanted(self._adopt(fresh))
        spellings = self._free(groups, gone)
        losers = [
            loser
            for key in sorted(groups)
            for loser in self._give_base(key, _members(groups[key]), spellings.get(key))
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

    def _adopt(self, fresh: list[int]) -> list[int]:
        """Give names that stand without an id to those they fit, and return the rest.

        Whoever made them kept no id (a target that can't, another tool, a person): a name with a
        part of the id is that one's, an equal name goes to the oldest, then one that differs only
        in case. Nobody gets a second entity.
        """
        ownerless = {
            self._rules.stored(self._kind, name): name
            for names in self._holders.values()
            for name in names
            if self._standing.source_id_of(name) is None
        }
        if not ownerless:
            return fresh
        by_case: dict[str, list[str]] = {}
        for stored in ownerless:
            by_case.setdefault(comparable(stored), []).append(stored)

        def suffixed(index: int) -> Iterable[str]:
            return (self._rules.stored(self._kind, name) for name in self._suffixed(index))

        def equal(index: int) -> Iterable[str]:
            return (self._rules.stored(self._kind, self._base(index)),)

        def alike(index: int) -> Iterable[str]:
            return by_case.get(self._key(self._base(index)), ())

        left = sorted(fresh, key=self._age)
        for candidates in (suffixed, equal, alike):
            left = [i for i in left if not self._adopted(i, candidates(i), ownerless)]
        return left

    def _adopted(self, index: int, candidates: Iterable[str], ownerless: dict[str, str]) -> bool:
        for stored in candidates:
            if stored in ownerless:
                name = ownerless.pop(stored)
                self._give(index, name)
                key = comparable(stored)
                self._taken.add(key)
                self._holders[key].remove(name)
                if not self._holders[key]:
                    del self._holders[key]
                return True
        return False

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

    def _age(self, index: int) -> tuple[int, Any, str]:
        """What the oldest sorts first by; ages of different types are told apart, not compared."""
        item = self._listed[index]
        if isinstance(item.created, (int, float)):
            return (0, item.created, item.id)
        return (2, "", item.id) if item.created is None else (1, str(item.created), item.id)

    def _base(self, index: int, room: int = 0) -> str:
        """What item `index` wants to be called, as the target can hold it."""
        item = self._listed[index]
        return self._rules.fit(self._kind, item.name, room) or self._rules.fit(
            self._kind, item.id, room
        )

    def _free(self, groups: Iterable[str], gone: Gone | None) -> dict[str, str]:
        """Let go of holders whose id is gone at the source for certain; returns their names by
        comparable name, so that who takes over keeps the spelling."""
        contested = {
            source_id
            for key in groups
            for name in self._holders.get(key, ())
            if (source_id := self._standing.source_id_of(name)) is not None
        }
        freed: set[str] = set()
        if self._complete and contested:
            certain = gone(sorted(contested)) if gone else None
            freed = contested if certain is None else contested & set(certain)
        spellings: dict[str, str] = {}
        for key in [key for key in groups if key in self._holders]:
            if all(self._standing.source_id_of(name) in freed for name in self._holders[key]):
                spellings[key] = self._holders.pop(key)[0]
        return spellings

    def _give_base(
        self, key: str, members: list[int], spelling: str | None
    ) -> list[tuple[int, int]]:
        """Give the wanted name itself; returns (index, how many want it) of those left over."""
        first, count = members[0], len(members)
        if key in self._holders and not self._complete:
            self._note(first, "its name stands in the target for another id, and the listing is "
                       "incomplete: not written in this run", problem=True)  # fmt: skip
            return [(index, count) for index in members[1:]]
        if key in self._taken or key in self._holders or not (count == 1 or self._followed):
            return [(index, max(count, 2)) for index in members]
        self._give(first, spelling or self._base(first))
        return [(index, count) for index in members[1:]]

    def _give_suffixed(self, index: int, among: int) -> None:
        """Give a name with a part of the id."""
        for name in self._suffixed(index):
            key = self._key(name)
            if key not in self._taken and key not in self._holders:
                self._taken.add(key)
                self._give(index, name)
                self._note(index, f"the name is wanted {among} times (or was taken): stored as "
                           f"{name!r}")  # fmt: skip
                return
        self._note(index, "no free name: not written in this run", problem=True)

    def _suffixed(self, index: int) -> Iterator[str]:
        """`name_<8 of the id>`, then 16, then the whole id, the base cut to make room."""
        source_id = self._listed[index].id
        for length in (*SUFFIX_LENGTHS, len(source_id)):
            suffix = self._rules.fit(self._kind, f"_{source_id[:length]}")
            room = len(self._rules.stored(self._kind, suffix))
            yield self._base(index, room) + suffix

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
