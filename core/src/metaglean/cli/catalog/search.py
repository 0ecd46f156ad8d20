"""`metaglean catalog search`: entities by the words of their texts."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

from metaglean.builtin.catalog.documents import Text
from metaglean.builtin.catalog.reader import KINDS, Reader
from metaglean.builtin.catalog.search import Hit, search
from metaglean.builtin.catalog.words import Term, terms
from metaglean.cli.catalog.output import as_json, complain, positive, say, say_json, say_table

DESCRIPTION = """\
Find what holds all of these words, in names, display names, columns, descriptions, tags and owners.
A word is found by its beginning, in any case, with or without accents. Best first: those with the
words in their name, then in those of their columns, in tags and owners, in descriptions.
"""
EPILOG = """\
examples:
  metaglean catalog search orders
  metaglean catalog search customer id            both words, wherever they stand
  metaglean catalog search default --kind databaseSchema --json

exit codes: 0, or 1 where nothing was found
"""
LIMIT = 20
SLOW = 1000
BEFORE, AFTER = 12, 48  # characters that are shown around the word


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    parser.add_argument("words", nargs="+", metavar="WORD", help="what to look for")
    parser.add_argument("--kind", choices=KINDS, help="only entities of this kind")
    parser.add_argument("--deleted", action="store_true", help="deleted ones as well")
    parser.add_argument(
        "--limit",
        type=positive,
        default=LIMIT,
        metavar="N",
        help=f"at most N (default: {LIMIT})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one entity a line")


def run(reader: Reader, args: argparse.Namespace) -> int:
    found = search(reader, args.words, kind=args.kind, deleted=args.deleted, limit=args.limit)
    if found.unindexed >= SLOW:
        complain(
            f"{found.unindexed} entities were read one by one: they are not in the search index."
            " The next `metaglean ingest` into this catalog adds them."
        )
    if args.json:
        for hit in found.hits:
            matches = [{"place": text.title, "text": text.text} for text in hit.texts]
            say_json({**as_json(hit.entry), "matches": matches})
    elif found.hits:
        query = terms(args.words)
        rows = [_row(hit, query) for hit in found.hits]
        say_table(["KIND", "NAME", "DISPLAY NAME", "FOUND IN", "DELETED"], rows)
        if found.more:
            say(f"\nThe best {args.limit}; there are more (--limit N).")
    else:
        complain("nothing found")
    return 0 if found.hits else 1


def _row(hit: Hit, query: Sequence[Term]) -> list[str]:
    entry = hit.entry
    return [
        entry.kind,
        entry.fqn,
        entry.state.get("display_name") or "",
        "; ".join(_place(text, query) for text in hit.texts),
        "yes" if entry.deleted else "",
    ]


def _place(text: Text, query: Sequence[Term]) -> str:
    """What to call the place; of a longer text, the words around the one that was found."""
    if text.place != "texts":
        return text.title if text.place == "parts" else f"{text.title} {text.text}"
    shown = " ".join(text.text.split())
    folded = shown.casefold()
    asked = {word for term in query for way in term.ways for word in way}
    # Where a word begins; one that is written otherwise (an accent) has no place, then the start.
    begin = r"(?<![^\W_])"
    found = [
        re.search(f"{begin if word.isascii() else ''}{re.escape(word)}", folded) for word in asked
    ]
    at = min((match.start() for match in found if match), default=0)
    start, end = max(0, at - BEFORE), at + AFTER
    cut = f"{'…' if start else ''}{shown[start:end]}{'…' if end < len(shown) else ''}"
    return f"{text.title}: {cut}"
