"""Who owns what: users by their exact e-mail, groups by their name. Nobody is invented."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from metaglean import AccessDenied, ItemError, Owner, Run
from metaglean_domo.api import PublicApi
from metaglean_domo.convert import Holder

FEATURE = "owners"
_SCOPE = "Grant the API client the scope `user`."


class Directory:
    """All users and, where they are needed, groups: read once, in bulk.

    Groups are needed only where the instance plane doesn't say whether an owner is one.
    """

    def __init__(self, run: Run, api: PublicApi) -> None:
        self._run = run
        self._api = api
        # Id → e-mail; "" for one who has left, None for one without an e-mail.
        self._users: dict[str, str | None] = {}
        self._groups: dict[str, str] | None = None
        self._lock = threading.Lock()

    def load(self) -> None:
        """Read the users. A refusal costs the owners, one warning, and nothing else."""
        try:
            for item in self._api.users():
                if isinstance(item, dict) and item.get("id") is not None:
                    email = str(item.get("email") or "") or None
                    self._users[str(item["id"])] = "" if item.get("deleted") else email
        except AccessDenied as error:
            self.refused(error.message)
        except ItemError as error:
            self._run.problem(f"the list of users was not read to its end: {error.message}")

    def refused(self, reason: str) -> None:
        """Users may not be read: say so."""
        self._run.warn(f"owners who are users are not read: {reason}", hint=_SCOPE, feature=FEATURE)

    def owners(self, holders: Iterable[Holder], notes: list[str]) -> tuple[Owner, ...] | None:
        """The owners that stand for these; None where one of them isn't known for certain, which
        is noted unless users could not be read at all."""
        found = []
        for holder in holders:
            owner, known = self._owner(holder)
            if not known:
                if self._users:
                    notes.append(f"its owner {holder.id!r} has no e-mail, or is not listed")
                return None
            if owner:
                found.append(owner)
        return tuple(dict.fromkeys(found))

    def _owner(self, holder: Holder) -> tuple[Owner | None, bool]:
        kind = holder.type or self._kind(holder)
        if kind == "GROUP" and holder.name:
            return Owner(type="team", name=holder.name), True
        if kind == "USER":
            email = self._users.get(holder.id)
            return (Owner(type="user", email=email) if email else None), email is not None
        return None, False

    def _kind(self, holder: Holder) -> str:
        """USER or GROUP by id, and by name too for a group: both count from their own start."""
        is_user = holder.id in self._users
        is_group = self._group_names().get(holder.id) == holder.name
        if is_user and is_group:
            return ""
        return "USER" if is_user else "GROUP" if is_group else ""

    def _group_names(self) -> dict[str, str]:
        with self._lock:
            if self._groups is None:
                self._groups = self._read_groups()
            return self._groups

    def _read_groups(self) -> dict[str, str]:
        if not self._users:
            return {}
        try:
            return {
                str(item["id"]): str(item.get("name") or "")
                for item in self._api.groups()
                if isinstance(item, dict) and item.get("id") is not None
            }
        except ItemError as error:
            self._run.warn(f"groups are not read: {error.message}", hint=_SCOPE)
            return {}
