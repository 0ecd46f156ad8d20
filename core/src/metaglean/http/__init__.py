"""HTTP for connectors: one `Session` a system, ways to authenticate, paginators.

api = run.session("Acme", config.host, Bearer(token))
for item in offset_pages(api, "/v1/things", limit=50):
    detail = api.get_json(f"/v1/things/{item['id']}")
"""

from __future__ import annotations

from metaglean.http.auth import Auth, Basic, Bearer, ClientCredentials, Header
from metaglean.http.pages import cursor_pages, link_pages, offset_pages
from metaglean.http.response import (
    CredentialsRefused,
    Response,
    UnexpectedBody,
    Unreachable,
    Verdict,
)
from metaglean.http.session import Session
from metaglean.http.stats import SystemStats

__all__ = [
    "Auth",
    "Basic",
    "Bearer",
    "ClientCredentials",
    "CredentialsRefused",
    "Header",
    "Response",
    "Session",
    "SystemStats",
    "UnexpectedBody",
    "Unreachable",
    "Verdict",
    "cursor_pages",
    "link_pages",
    "offset_pages",
]
