"""Bodies without what a server answered that it doesn't know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from metaglean.builtin.server.client import Answer, Server, unknown_field
from metaglean.builtin.server.features import shown
from metaglean.builtin.server.words import Words
from metaglean.errors import ItemError

if TYPE_CHECKING:
    from metaglean import Run

Lack = tuple[str, str]  # the simple name of the server's class, and the key that it lacks


class Lenient:
    """PUTs bodies of one kind; what the server calls unknown is left out for the rest of the run,
    with one warning, and the body is sent again.

    `parts` tells where in a body the server's classes stand: simple name → keys from the top (lists
    on the way are entered). `words` maps a key with a word of a closed list to what gives the word
    that this server has. `lacking` is what its version is known not to have.
    """

    def __init__(
        self,
        server: Server,
        run: Run,
        lists: Words,
        *,
        parts: Mapping[str, tuple[str, ...]],
        words: Mapping[str, Callable[[str], str]],
        lacking: Iterable[Lack] = (),
    ) -> None:
        self._server = server
        self._run = run
        self._lists = lists
        self._parts = parts
        self._words = words
        self._lacking = set(lacking)

    def lacks(self, model: str, key: str) -> bool:
        """Whether the server's class is known to lack this key."""
        return (model, key) in self._lacking

    def fit(self, body: Any) -> Any:
        """A copy of a body (or of a list of them) as this server takes it."""
        for model, path in self._parts.items():
            keys = {key for one, key in self._lacking if one == model}
            if keys:
                body = _without(body, path, keys)
        return self._worded(body)

    def put(self, path: str, body: Any) -> Answer:
        """Send a body; raises what `Server.put` raises, but not for what can be left out."""
        sent = self.fit(body)
        while True:
            try:
                return self._server.put(path, sent)
            except ItemError as error:
                self._learn(error)
                # Another thread may have learnt it meanwhile: what counts is what can be sent now.
                fitting = self.fit(body)
                if fitting == sent:
                    raise
                sent = fitting

    def _learn(self, error: ItemError) -> None:
        version = shown(self._server.features.version)
        field = unknown_field(error)
        if field and field.model in self._parts and not self.lacks(field.model, field.key):
            self._lacking.add((field.model, field.key))
            self._run.warn(f"the server ({version}) has no {field.key} in {field.model}: left out")
        word = self._lists.learn(error)
        if word and word.news:
            stand_in = self._lists.known(word.words, word.word)
            self._run.warn(f"the server ({version}) has no {word.word}: {stand_in} is written")

    def _worded(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._worded(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._worded(item) for item in value]
        return self._words[key](value) if key in self._words and isinstance(value, str) else value


def _without(value: Any, path: tuple[str, ...], keys: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(item, path, keys) for item in value]
    if not isinstance(value, dict):
        return value
    if not path:
        return {key: item for key, item in value.items() if key not in keys}
    head, *rest = path
    return {**value, head: _without(value[head], tuple(rest), keys)} if head in value else value
