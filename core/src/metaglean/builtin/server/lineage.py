"""Lineage edges: read and merged before they are written, because a PUT replaces all of one."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

from metaglean import Change
from metaglean.builtin.server import edges
from metaglean.builtin.server.body import clean
from metaglean.builtin.server.client import Json, Server
from metaglean.builtin.server.edges import Merged
from metaglean.builtin.server.lenient import Lenient
from metaglean.builtin.server.resolver import WITH_COLUMNS, Found, Resolver
from metaglean.builtin.server.words import Words
from metaglean.errors import ItemError, NotFound
from metaglean.records import ColumnLineage, Lineage

if TYPE_CHECKING:
    from metaglean import Run

_MODEL = "LineageDetails"
_PARTS = {"AddLineage": (), "EntitiesEdge": ("edge",), _MODEL: ("edge", "lineageDetails")}
_STRIPES = 16
_LEFT_OUT = {
    "edges": "lineage edges left out: they name what is not on the server",
    "pipelines": "pipelines left out of their lineage edges: they are not on the server",
    "columns": "column lineages left out, or cut: they name columns that are not on the server",
}


class LineageWriter:
    """Writes lineage records; safe from any thread.

    A record of which an end isn't there is skipped; a pipeline or columns that aren't there are
    left out of their edge. Both are counted in `left_out`, and `report` warns of them.
    """

    def __init__(
        self, server: Server, resolver: Resolver, run: Run, words: Words | None = None
    ) -> None:
        self._server = server
        self._resolver = resolver
        self._run = run
        self._words = words or Words(server.features.version)
        self._lenient = Lenient(
            server,
            run,
            self._words,
            parts=_PARTS,
            words={"source": self._source},
            lacking=() if server.features.has("lineageSource") else ((_MODEL, "source"),),
        )
        # Two records of one pair must not read the same state and overwrite each other.
        self._locks = [threading.Lock() for _ in range(_STRIPES)]
        self._counting = threading.Lock()
        self.left_out: Counter[str] = Counter()

    def write(self, record: Lineage) -> Change:
        """Write one edge, or in a dry run plan it. Raises ItemError where the server refuses it."""
        named = bool(record.columns_lineage)
        source = self._resolver.find(record.ref, with_columns=named)
        target = self._resolver.find(record.target, with_columns=named)
        if source is None or target is None:
            self._count("edges")
            return Change(record.ref, "skipped", kind=Lineage.KIND)
        wanted = self._wanted(record)
        with self._locks[hash((source.id, target.id)) % _STRIPES]:
            stored = self._stored(source, target)
            if stored is None:
                self._put(source, target, {"source": record.source, **wanted})
                return Change(record.ref, "created", kind=Lineage.KIND)
            merged = edges.merge(stored, self._fitting(wanted))
            action: Any = "updated" if merged.fields else "unchanged"
            if merged.fields:
                self._put(source, target, self._complete(record, merged))
        return Change(record.ref, action, merged.fields, merged.kept, Lineage.KIND)

    def report(self) -> None:
        """Warn of what was left out so far, once each."""
        for what, number in sorted(self.left_out.items()):
            self._run.warn(f"{number} {_LEFT_OUT[what]}")
        self.left_out.clear()

    # -- what the record says ---------------------------------------------------------------------

    def _wanted(self, record: Lineage) -> Json:
        """Details with what the record says, and what stands."""
        wanted: Json = {}
        if "source" in record.model_fields_set:
            wanted["source"] = record.source
        if record.sql_query:
            wanted["sqlQuery"] = clean(record.sql_query)
        if record.description:
            wanted["description"] = clean(record.description)
        if record.pipeline:
            pipeline = self._resolver.find(record.pipeline)
            if pipeline:
                wanted["pipeline"] = pipeline.reference
            else:
                self._count("pipelines")
        columns = [entry for one in record.columns_lineage for entry in self._columns(record, one)]
        if columns:
            wanted[edges.COLUMNS] = edges.unite((), columns, functions=True)
        return wanted

    def _columns(self, record: Lineage, one: ColumnLineage) -> list[Json]:
        """A column edge with the columns that stand on both ends; none where too little does."""
        if not {record.ref.kind, record.target.kind} <= WITH_COLUMNS:
            self._count("columns")
            return []
        sources = [
            self._resolver.column(ref, name) if ref == record.ref else None
            for ref, name in one.from_columns
        ]
        target = self._resolver.column(record.target, one.to_column)
        standing = list(dict.fromkeys(column for column in sources if column))
        if target is None or not standing or None in sources:
            self._count("columns")
        if target is None or not standing:
            return []
        entry: Json = {"fromColumns": standing, "toColumn": target}
        return [{**entry, "function": one.function} if one.function else entry]

    def _source(self, word: str) -> str:
        """The server's word for a source. A stand-in is never the word for edges of people."""
        known = self._words.known("lineageSource", word)
        return "QueryLineage" if known == edges.BY_HAND != word else known

    def _fitting(self, wanted: Json) -> Json:
        body: Json = self._lenient.fit({"edge": {"lineageDetails": wanted}})
        details: Json = body["edge"]["lineageDetails"]
        return details

    # -- what stands ------------------------------------------------------------------------------

    def _stored(self, source: Found, target: Found) -> Json | None:
        """The details of the edge that stands, None where there is none."""
        if not source.id or not target.id:
            return None
        if self._server.features.has("lineageEdge"):
            try:
                body = self._server.get(f"lineage/getLineageEdge/{source.id}/{target.id}")
            except ItemError as error:
                if not _no_such_path(error):
                    if isinstance(error, NotFound):
                        return None
                    raise
                self._server.features.lacks("lineageEdge")
            else:
                return _details(body, "edge")
        path = f"lineage/{source.type}/{source.id}"
        body = self._server.get(path, upstreamDepth=0, downstreamDepth=1)
        found = body.get("downstreamEdges") if isinstance(body, dict) else None
        for edge in found or ():
            if target.id in (edge.get("toEntity"), _id(edge.get("toEntity"))):
                return _details(edge, "lineageDetails")
        return None

    def _complete(self, record: Lineage, merged: Merged) -> Json:
        """The merged details without columns that are gone from the two ends."""
        details = dict(merged.details)
        if details.get(edges.COLUMNS):
            ends = (record.ref, record.target)
            begins = tuple(f"{self._resolver.fqn(ref)}." for ref in ends)
            known = [self._resolver.columns(ref) for ref in ends]

            def stands(column: str) -> bool:
                return not column.startswith(begins) or any(
                    there is None or column in there for there in known
                )

            details[edges.COLUMNS] = edges.standing(details[edges.COLUMNS], stands)
        return details

    def _put(self, source: Found, target: Found, details: Json) -> None:
        if self._run.dry_run:
            return
        details = {**details, "source": details.get("source") or edges.BY_HAND}
        edge = {
            "fromEntity": source.reference,
            "toEntity": target.reference,
            "lineageDetails": details,
        }
        self._lenient.put("lineage", {"edge": edge})

    def _count(self, what: str) -> None:
        with self._counting:
            self.left_out[what] += 1


def _no_such_path(error: ItemError) -> bool:
    """Whether the version lacks the path, and not the server the edge."""
    if error.status == 500:  # only a disguised 404 or 405 is raised as NotFound
        return isinstance(error, NotFound)
    return error.status == 405 or "HTTP 404" in error.message


def _details(holder: Any, key: str) -> Json:
    details = holder.get(key) if isinstance(holder, dict) else None
    return details if isinstance(details, dict) else {}


def _id(reference: Any) -> Any:
    return reference.get("id") if isinstance(reference, dict) else None
