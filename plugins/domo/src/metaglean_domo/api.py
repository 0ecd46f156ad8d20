"""Domo's two APIs as plain data: the public one (OAuth) and the instance's (access token).

All methods raise what a session raises: NotFound, AccessDenied and other ItemErrors for one
answer, RemoteError where the system is away or refuses the credentials.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from metaglean import ItemError, NotFound, RemoteError, Run
from metaglean.http import ClientCredentials, Header, Session
from metaglean_domo.config import DomoConnection
from metaglean_domo.paging import pages
from metaglean_domo.wire import classify

Json = dict[str, Any]

DATASET_PAGE = 50
PAGE = 500
BULK_DATASETS = 100
BULK_STREAMS = 50
PUBLIC = "Domo"
INSTANCE = "Domo instance"


class PublicApi:
    """`https://api.domo.com`."""

    def __init__(self, session: Session, auth: ClientCredentials) -> None:
        self._session = session
        self._auth = auth

    def claims(self) -> Json:
        """What the token says: `scope`, `customer`, …; asks for one if there is none yet.

        Raises RemoteError for whatever keeps Domo from giving one: nothing can be read without.
        """
        try:
            headers = self._auth.headers()
        except ItemError as error:
            raise RemoteError(f"no access token: {error.message}", error.hint) from error
        return {**_payload(headers.get("Authorization", "")), **self._auth.grant}

    def datasets_page(self, offset: int, sort: str | None, limit: int = DATASET_PAGE) -> list[Any]:
        """One page of the listing."""
        params = {"limit": limit, "offset": offset, "sort": sort}
        return self._list("/v1/datasets", **{k: v for k, v in params.items() if v is not None})

    def dataset(self, dataset_id: str) -> Json:
        """One dataset with its schema. Raises NotFound for one that is marked deleted as well."""
        found = _object(self._session, f"/v1/datasets/{quote(dataset_id, safe='')}")
        if found.get("deleted"):
            raise NotFound("the dataset was deleted")
        return found

    def query(self, dataset_id: str, sql: str) -> Json:
        """The result of a query: `columns`, `metadata` and `rows`."""
        path = f"/v1/datasets/query/execute/{quote(dataset_id, safe='')}"
        answer = self._session.post(path, json={"sql": sql}, idempotent=True).json()
        if not isinstance(answer, dict):
            raise ItemError("Domo answered the query with something that is no result")
        return answer

    def users_page(self, limit: int) -> list[Any]:
        """The first users, to see whether they may be read."""
        return self._list("/v1/users", limit=limit)

    def users(self) -> Iterator[Any]:
        """All users."""
        return self._pages("/v1/users")

    def groups(self) -> Iterator[Any]:
        """All groups."""
        return self._pages("/v1/groups")

    def streams(self) -> Iterator[Any]:
        """All streams, with update method and last execution."""
        return self._pages("/v1/streams", fields="all")

    def _pages(self, path: str, **params: Any) -> Iterator[Any]:
        def fetch(offset: int) -> list[Any]:
            return self._list(path, limit=PAGE, offset=offset, **params)

        return pages(fetch, PAGE, path)

    def _list(self, path: str, **params: Any) -> list[Any]:
        answer = self._session.get_json(path, **params)
        if not isinstance(answer, list):
            raise ItemError(f"Domo answered {path} with something that is no list")
        return answer


class InstanceApi:
    """`https://<instance>.domo.com/api`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def me(self) -> Json:
        """The user whose token this is."""
        return _object(self._session, "/api/content/v2/users/me")

    def datasets(self, ids: Sequence[str]) -> list[Json]:
        """Details of at most 100 datasets; those that the user may not see are left out."""
        answer = self._session.post(
            "/api/data/v3/datasources/bulk",
            params={"includePrivate": "true", "includeAllDetails": "true"},
            json=list(ids),
            idempotent=True,
        ).json()
        found = answer.get("dataSources") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise ItemError("Domo answered the bulk call with something that is no list")
        return [item for item in found if isinstance(item, dict)]

    def streams(self, ids: Sequence[int]) -> list[Json]:
        """At most 50 streams, with their keys."""
        path = "/api/data/v1/streams/bulk"
        answer = self._session.get_json(path, streamId=",".join(map(str, ids)))
        if not isinstance(answer, list):
            raise ItemError("Domo answered the streams' bulk call with something that is no list")
        return [item for item in answer if isinstance(item, dict)]

    def schema(self, dataset_id: str) -> Json:
        """The indexed schema; of a view with its syntax tree (`select` or `views`)."""
        path = f"/api/query/v1/datasources/{quote(dataset_id, safe='')}/schema/indexed"
        return _object(self._session, path, includeHidden="true")

    def dictionary(self, dataset_id: str) -> Any:
        """The data dictionary, in one of its three shapes; None where there is none."""
        path = f"/api/ai/readiness/v1/data-dictionary/dataset/{quote(dataset_id, safe='')}"
        try:
            return self._session.get_json(path)
        except NotFound:
            return None

    def permissions(self, dataset_id: str) -> list[Any]:
        """Who has which access."""
        path = f"/api/data/v3/datasources/{quote(dataset_id, safe='')}/permissions"
        found = _object(self._session, path).get("list")
        if not isinstance(found, list):
            raise ItemError("Domo answered the permissions with something that is no list")
        return found


def public_api(run: Run, config: DomoConnection) -> PublicApi:
    """The public API of one run."""
    auth = ClientCredentials(
        f"{config.api_host}/oauth/token",
        config.client_id,
        config.secret_token.get_secret_value(),
        settings=("clientId", "secretToken"),
    )
    return PublicApi(_session(run, PUBLIC, config.api_host, auth, config), auth)


def instance_api(run: Run, config: DomoConnection) -> InstanceApi | None:
    """The instance's API; None without its address or an access token."""
    if not config.instance_domain or config.access_token is None:
        return None
    auth = Header("X-DOMO-Developer-Token", config.access_token.get_secret_value())
    return InstanceApi(_session(run, INSTANCE, config.instance_domain, auth, config))


def _session(run: Run, name: str, address: str, auth: Any, config: DomoConnection) -> Session:
    return run.session(name, address, auth, classify=classify, verify=config.ca_file)


def _object(session: Session, path: str, **params: Any) -> Json:
    answer = session.get_json(path, **params)
    if not isinstance(answer, dict):
        raise ItemError(f"Domo answered {path} with something that is no object")
    return answer


def _payload(authorization: str) -> Json:
    """The claims of a JWT, unverified: they are only shown, or make a link."""
    parts = authorization.rpartition(" ")[2].split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
