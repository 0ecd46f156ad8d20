"""What goes beyond the public datasets: each feature in bulk where Domo has a bulk call, and off
for the rest of the run, with one warning, once Domo refuses it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from metaglean import AccessDenied, ItemError, NotFound, RemoteError, Run
from metaglean_domo.api import BULK_STREAMS, InstanceApi, PublicApi
from metaglean_domo.convert import Detail, StreamFacts, detail, stream_keys

Result = TypeVar("Result")

DETAILS = "kinds, tags, certification and load state"
VIEW_SQL = "view SQL"
KEYS = "upsert keys"
DESCRIPTIONS = "column descriptions"
CO_OWNERS = "co-owners"
METHODS = "update methods"
FAILURES_IN_A_ROW = 5
_ONE_CALL_A_TABLE = frozenset({VIEW_SQL, DESCRIPTIONS, CO_OWNERS})


class InstancePlane:
    """The instance's API as features that may be refused, or be away, without harm."""

    def __init__(self, run: Run, api: InstanceApi | None) -> None:
        self.api = api
        self._run = run
        self._off = api is None
        self._refused: set[str] = set()
        self._worked: set[str] = set()
        self._failed: dict[str, int] = {}
        self._lock = threading.Lock()

    def has(self, feature: str) -> bool:
        """Whether this feature is still asked for."""
        return not self._off and feature not in self._refused

    def ask(self, feature: str, call: Callable[[InstanceApi], Result], item: str) -> Result | None:
        """What `call` returns; None where it was not read.

        An answer of 403 or 404 switches the feature off (where it is one call a table and has
        worked before, it concerns this table alone). Any other failure is a problem of this item.
        A plane that is away, or refuses the token, is off as a whole.
        """
        if not self.has(feature) or self.api is None:
            return None
        try:
            result = call(self.api)
        except RemoteError as error:
            self._switch_off(error)
        except (AccessDenied, NotFound) as error:
            self._refuse(feature, error, item)
        except ItemError as error:
            self._fail(feature, error, item)
        else:
            self._worked.add(feature)
            self._failed[feature] = 0
            return result
        return None

    def _fail(self, feature: str, error: ItemError, item: str) -> None:
        self._run.problem(f"{feature}: not read: {error.message}", item, hint=error.hint)
        with self._lock:
            self._failed[feature] = self._failed.get(feature, 0) + 1
            # Each failure has cost all retries: a feature that is broken must not hold up a run.
            if self._failed[feature] < FAILURES_IN_A_ROW or feature in self._refused:
                return
            self._refused.add(feature)
        self._run.warn(
            f"{feature}: given up for this run after {FAILURES_IN_A_ROW} failures in a row",
            feature=feature,
        )

    def _switch_off(self, error: RemoteError) -> None:
        with self._lock:
            first, self._off = not self._off, True
        if first:
            self._run.warn(
                f"the instance is left alone for the rest of this run: {error.message}. "
                f"{DETAILS}, {VIEW_SQL} and {KEYS} stay as they are in the target",
                hint="Check accessToken (Admin, Authentication, Access tokens) and instanceDomain.",
                feature="instance",
            )

    def _refuse(self, feature: str, error: ItemError, item: str) -> None:
        if feature in _ONE_CALL_A_TABLE & self._worked:
            self._run.warn(f"{feature}: refused: {error.message}", item)
            return
        with self._lock:
            first = feature not in self._refused
            self._refused.add(feature)
        if first:
            self._run.warn(
                f"{feature}: not read in this run: {error.message}",
                hint="The user of accessToken lacks the grant, instanceDomain is not right, or the "
                "instance lacks the feature.",
                feature=feature,
            )

    def details(self, ids: Sequence[str]) -> dict[str, Detail]:
        """Details by id, of those that could be read, in one call."""
        label = f"{len(ids)} datasets from {ids[0]}"
        items = self.ask(DETAILS, lambda api: api.datasets(ids), label)
        return {str(item.get("id")): detail(item) for item in items or ()}


class Streams:
    """Update method and load state of every dataset with a stream, and the keys of upserts."""

    def __init__(self, run: Run, api: PublicApi) -> None:
        self._run = run
        self._api = api
        self._facts: dict[str, StreamFacts] = {}
        self._upserts: dict[str, int] = {}
        self._keys: dict[int, tuple[str, ...]] = {}
        self.complete = False

    def load(self, plane: InstancePlane) -> None:
        """Read the public list of streams, then the keys of upserts from the instance."""
        shared: dict[StreamFacts, StreamFacts] = {}
        try:
            for item in self._api.streams():
                self._add(item, shared)
        except (AccessDenied, NotFound) as error:
            self._run.warn(f"{METHODS}: not read: {error.message}", feature=METHODS)
        except ItemError as error:
            self._run.problem(f"{METHODS}: not read to the end: {error.message}", hint=error.hint)
        else:
            self.complete = True
        self._load_keys(plane)

    def _load_keys(self, plane: InstancePlane) -> None:
        """Many a call, several calls at once."""
        ids = sorted(set(self._upserts.values()))
        batches = [ids[at : at + BULK_STREAMS] for at in range(0, len(ids), BULK_STREAMS)]

        def read(batch: list[int]) -> list[dict[str, Any]]:
            label = f"{len(batch)} streams from {batch[0]}"
            return plane.ask(KEYS, lambda api: api.streams(batch), label) or []

        for streams in self._run.map(read, batches):
            for stream in streams:
                keys, identifier = stream_keys(stream), stream.get("id")
                if keys and isinstance(identifier, int):
                    self._keys[identifier] = keys

    def of(self, dataset_id: str) -> StreamFacts | None:
        """What is known of the dataset's stream; None for none (see `complete`)."""
        return self._facts.get(dataset_id)

    def is_upsert(self, dataset_id: str) -> bool:
        """Whether the dataset is loaded by key."""
        return dataset_id in self._upserts

    def keys(self, dataset_id: str) -> tuple[str, ...]:
        """The key columns of an upsert, empty where they are not known."""
        return self._keys.get(self._upserts.get(dataset_id, -1), ())

    def _add(self, item: Any, shared: dict[StreamFacts, StreamFacts]) -> None:
        dataset = item.get("dataSet") if isinstance(item, dict) else None
        if not isinstance(dataset, dict) or not isinstance(dataset.get("id"), str):
            return
        execution = item.get("lastExecution")
        state = execution.get("currentState") if isinstance(execution, dict) else None
        facts = StreamFacts(str(item.get("updateMethod") or ""), str(state or ""))
        self._facts[dataset["id"]] = shared.setdefault(facts, facts)
        if facts.method.upper() == "UPSERT" and isinstance(item.get("id"), int):
            self._upserts[dataset["id"]] = item["id"]
