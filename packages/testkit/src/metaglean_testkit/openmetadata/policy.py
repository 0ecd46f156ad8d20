"""Who asks, and what they may."""

from __future__ import annotations

from dataclasses import dataclass, field

from metaglean_testkit.openmetadata.errors import Json, Refused

_OPERATIONS = ("Create", "Delete", "ViewAll", "EditAll")
_RULE = {
    "name": "IngestionBotRule-Allow",
    "description": "Allow ingestion bots to create/update/delete data entities",
    "effect": "allow",
    "operations": ["Create", "Delete", "EditAll", "ViewAll"],
    "resources": ["All"],
}
_PATCHED = {
    "description": "EditDescription",
    "displayName": "EditDisplayName",
    "tags": "EditTags",
    "owner": "EditOwner",
    "owners": "EditOwners",
}


@dataclass(frozen=True)
class Person:
    """Whose token it is."""

    name: str
    bot: bool
    admin: bool


@dataclass
class Policy:
    """The operations that the bot's policy denies: `(operation, kind or "all")`."""

    denied: set[tuple[str, str]] = field(default_factory=set)

    def denies(self, operation: str, kind: str = "all") -> bool:
        """Whether the bot is denied an operation on a kind of entity."""
        return (operation, "all") in self.denied or (operation, kind) in self.denied

    def require(self, who: Person, operation: str, kind: str) -> None:
        """Refuse what the bot may not. Raises `Refused` (403)."""
        if who.admin or not who.bot or not self.denies(operation, kind):
            return
        raise Refused(
            403,
            f"Principal: CatalogPrincipal{{name='{who.name}'}} operation {operation} denied by "
            f"role IngestionBotRole, policy IngestionBotPolicy, rule {operation}-Deny",
        )

    def require_patch(self, who: Person, operations: object, kind: str) -> None:
        """Refuse a whole patch for one operation in it. Raises `Refused` (403)."""
        for one in operations if isinstance(operations, list) else ():
            path = str(one.get("path", "")) if isinstance(one, dict) else ""
            top = path.split("/")[1] if "/" in path else ""
            self.require(who, _PATCHED.get(top, "EditAll"), kind)

    def permissions(self, who: Person, kind: str) -> Json:
        """What `/permissions/{kind}` answers."""
        listed = []
        extra = sorted({one for one, _ in self.denied} - set(_OPERATIONS))
        for operation in (*_OPERATIONS, *extra):
            denied = not who.admin and who.bot and self.denies(operation, kind)
            if operation in extra and not denied:
                continue
            found: Json = {"operation": operation, "access": "deny" if denied else "allow"}
            if who.bot:
                found |= {
                    "rule": {**_RULE, "name": f"{operation}-Deny", "effect": "deny"}
                    if denied
                    else _RULE,
                    "policy": "IngestionBotPolicy",
                    "role": "IngestionBotRole",
                }
            listed.append(found)
        return {"resource": kind, "permissions": listed}
