"""Users and teams of the server: who may own something, and who is a bot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from metaglean.builtin.server.client import Json, Server
from metaglean.errors import ItemError
from metaglean.records import Owner

if TYPE_CHECKING:
    from metaglean import Run

_GROUP = "Group"


class People:
    """Read once, when first needed: one paged listing of users, one of teams.

    Matches are exact: users by e-mail (servers compare those without regard to case), groups by
    name, and only teams of type Group, because a server refuses other ones as owners.
    """

    def __init__(self, server: Server, run: Run, own_name: str = "") -> None:
        self._server = server
        self._run = run
        self._lock = threading.Lock()
        self._users: dict[str, str] | None = None
        self._teams: dict[str, str] | None = None
        self._bots = {own_name.lower()} if own_name else set()
        self._failed = False
        self._told: set[Owner] = set()
        self._several = server.features.has("owners")

    def references(self, owners: Iterable[Owner]) -> list[Json]:
        """The references of those who stand there; each that doesn't is a problem, and where the
        server takes one owner only the first is left."""
        found: list[Json] = []
        missing = []
        for owner in owners:
            reference = self._reference(owner)
            if reference is None:
                missing.append(owner)
            elif reference not in found:
                found.append(reference)
        for owner in () if self._failed else missing:
            if owner in self._told:
                continue
            self._told.add(owner)
            self._run.warn(
                f"no {'team of type Group' if owner.type == 'team' else 'user'} of the server is "
                f"called {owner.email or owner.name!r}: left out as owner",
                hint="Owners are matched by exact e-mail (users) or name (groups).",
            )
        if len(found) > 1 and not self._several:
            self._run.warn("the server keeps one owner an entity: only the first is sent")
            return found[:1]
        return found

    def is_bot(self, name: str) -> bool:
        """Whether a user of this name is a bot, for certain."""
        self._read_users()
        return bool(name) and name.lower() in self._bots

    def unread(self) -> bool:
        """Whether they could not be listed: then somebody who is no known bot may yet be one."""
        return self._failed

    def _reference(self, owner: Owner) -> Json | None:
        if owner.type == "team":
            known, key, kind = self._read_teams(), owner.name or "", "team"
        else:
            known, key, kind = self._read_users(), (owner.email or "").lower(), "user"
        found = known.get(key) if key else None
        return {"id": found, "type": kind} if found else None

    def _read_users(self) -> dict[str, str]:
        with self._lock:
            if self._users is None:
                self._users = self._read("users", "users", self._user)
            return self._users

    def _read_teams(self) -> dict[str, str]:
        with self._lock:
            if self._teams is None:
                self._teams = self._read("teams", "teams", _team)
            return self._teams

    def _user(self, entity: Json) -> str:
        if entity.get("isBot"):
            self._bots.add(str(entity.get("name", "")).lower())
            return ""
        return str(entity.get("email") or "").lower()

    def _read(self, path: str, what: str, key: Callable[[Json], str]) -> dict[str, str]:
        """Key → id. What can't be listed costs the owners, one warning, and nothing else."""
        found: dict[str, str] = {}
        try:
            for entity in self._server.listing(path):
                name = key(entity)
                if name:
                    found.setdefault(name, str(entity.get("id")))
        except ItemError as error:
            self._failed = True
            self._run.warn(
                f"the server's {what} can't be listed: owners are left as they are "
                f"({error.message})",
                hint="Give the bot ViewAll.",
                feature=f"server {what}",
            )
        return found


def _team(entity: Json) -> str:
    return str(entity.get("name") or "") if entity.get("teamType") == _GROUP else ""
