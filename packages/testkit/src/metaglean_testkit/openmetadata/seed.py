"""What a new server holds: its users, a team, the classifications that come with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metaglean_testkit.openmetadata import bodies, write
from metaglean_testkit.openmetadata.errors import Json
from metaglean_testkit.openmetadata.kinds import BY_TYPE
from metaglean_testkit.openmetadata.policy import Person

if TYPE_CHECKING:
    from metaglean_testkit.openmetadata.world import World

BOT = Person("ingestion-bot", bot=True, admin=False)
ADMIN = Person("admin", bot=False, admin=True)
_MAIL = "@openmetadata.org"
_TAGS = {
    "Tier": ["Tier1", "Tier2", "Tier3", "Tier4", "Tier5"],
    "PII": ["Sensitive", "NonSensitive", "None"],
    "PersonalData": ["Personal", "SpecialCategory"],
}


def plant(world: World) -> None:
    """Fill a new server."""
    admin = {"name": "admin", "email": "admin" + _MAIL}
    make(world, "user", {**admin, "isAdmin": True, "isBot": False, "isEmailVerified": True})
    make(world, "user", {"name": "ingestion-bot", "email": "ingestion-bot" + _MAIL, "isBot": True})
    organization = {"name": "Organization", "displayName": "Organization"}
    make(world, "team", {**organization, "teamType": "Organization"})
    for classification, tags in _TAGS.items():
        exclusive = classification in {"Tier", "PII"}
        make(
            world,
            "classification",
            {
                "name": classification,
                "description": f"{classification} of data assets",
                "mutuallyExclusive": exclusive,
                "provider": "system",
            },
        )
        for tag in tags:
            body = {"name": tag, "description": f"{classification} {tag}"}
            make(world, "tag", {**body, "classification": classification, "provider": "system"})


def make(world: World, kind: str, body: Json) -> Json:
    """Create one as the administrator."""
    who = BOT if body["name"] == BOT.name else ADMIN
    entity, parent = bodies.build(world, BY_TYPE[kind], body, who)
    return write.create(world, BY_TYPE[kind], entity, parent)
