"""Finds plugins by entry-point metadata, and imports one when a workflow names it.

Listing costs no import of a plugin, nor of pydantic or pluggy: those are imported inside of the
functions that load a plugin, on purpose.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from importlib import import_module, metadata
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from metaglean.errors import PluginError, catching, from_host

if TYPE_CHECKING:
    import pluggy

    from metaglean.components import Component

API = "v1"
KINDS = ("source", "processor", "sink", "profiler", "observer")
_GROUP = re.compile(r"metaglean\.(source|processor|sink|profiler|observer)s\.(\w+)")
_OWN = {
    ("source", "domodatabase"): "metaglean-plugin-domo",
    ("source", "domodashboard"): "metaglean-plugin-domo",
    ("source", "domopipeline"): "metaglean-plugin-domo",
    ("source", "airflow"): "metaglean-plugin-airflow",
    ("profiler", "domodatabase"): "metaglean-plugin-domo",
    ("observer", "opentelemetry"): "metaglean-observability",
    ("observer", "openlineage"): "metaglean-observability",
}


class EntryPoint(Protocol):
    """What is read of an entry point; `dist` has `name` and `version`."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def dist(self) -> Any: ...


class PluginInfo(NamedTuple):
    """One claim of a distribution to offer a component; `problem` says why it can't be used."""

    kind: str
    type: str
    distribution: str
    version: str
    module: str
    api: str
    problem: str = ""

    @property
    def label(self) -> str:
        return f"{self.distribution} {self.version}".strip()


class Registry:
    """The components that are installed. Each registry has its own plugin manager.

    `entry_points` replaces what the environment has (for tests).
    """

    def __init__(self, entry_points: Iterable[EntryPoint] | None = None) -> None:
        found = _installed() if entry_points is None else entry_points
        self._claims = sorted(set(_claims(found)))
        self._manager: pluggy.PluginManager | None = None
        self._loaded: dict[str, ModuleType] = {}
        self._failed: dict[str, PluginError] = {}

    def listed(self) -> list[PluginInfo]:
        """Every claim, those that can't be used included, with the reason. Imports nothing."""
        return [claim._replace(problem=self._problem(claim)) for claim in self._claims]

    def checked(self) -> list[PluginInfo]:
        """The same with every plugin imported: `problem` has the first line of what fails."""
        return [self._checked(info) for info in self.listed()]

    def _checked(self, info: PluginInfo) -> PluginInfo:
        if info.problem:
            return info
        try:
            self.get(info.kind, info.type)
        except PluginError as error:
            return info._replace(problem=error.message)
        return info

    def types(self, kind: str) -> list[str]:
        """The types of one kind that this hook API can load."""
        return sorted({c.type for c in self._claims if c.kind == kind and c.api == API})

    def find(self, kind: str, name: str) -> PluginInfo:
        """The one claim to a type, without importing it.

        Raises PluginError where it is unknown, not installed, made for another hook API, or
        claimed by several distributions.
        """
        named = [c for c in self._claims if c.kind == kind and c.type == name.lower()]
        usable = [c for c in named if c.api == API]
        if len(usable) > 1:
            raise PluginError(
                f"the {kind} {name!r} is claimed by {_and(c.label for c in usable)}",
                f"Uninstall one of them, for example: pip uninstall {usable[-1].distribution}",
            )
        if usable:
            return usable[0]
        if named:
            raise PluginError(
                f"the {kind} {name!r} of {named[0].label} is made for hook API {named[0].api}; "
                f"this version of metaglean-core has {API}",
                "Install a version of one of the two that fits the other.",
            )
        raise self._unknown(kind, name)

    def get(self, kind: str, name: str) -> type[Component]:
        """The class of a component; imports its plugin. `name` is its type, in any case.

        Raises PluginError, also where the plugin fails to import or doesn't offer what it says.
        """
        info = self.find(kind, name)
        return _picked(info, self._offered(info))

    def _offered(self, info: PluginInfo) -> list[Any]:
        """What the plugin's hook returns. Other plugins' hooks are not called."""
        module = self._module(info)
        manager = self._plugin_manager()
        others = [plugin for plugin in manager.get_plugins() if plugin is not module]
        hook = manager.subset_hook_caller(f"register_{info.kind}s", others)
        with catching(ending=True) as caught:
            return [item for items in hook() for item in items]
        raise _failure(info, "fails to register", caught.error)

    def _module(self, info: PluginInfo) -> ModuleType:
        if info.module in self._failed:
            raise self._failed[info.module]
        if info.module not in self._loaded:
            try:
                self._loaded[info.module] = self._load(info)
            except PluginError as error:
                self._failed[info.module] = error
                raise
        return self._loaded[info.module]

    def _load(self, info: PluginInfo) -> ModuleType:
        manager = self._plugin_manager()
        # A plugin that calls sys.exit, or raises what ends a run, fails like any other.
        with catching(ending=True) as caught:
            module = import_module(info.module)
        if caught.error:
            raise _failure(info, "fails to import", caught.error)
        with catching() as caught:
            manager.register(module, name=info.module)
            manager.check_pending()
        if caught.error:
            if manager.is_registered(module):
                manager.unregister(module)
            raise _failure(info, f"does not fit hook API {API}", caught.error)
        return module

    def _plugin_manager(self) -> pluggy.PluginManager:
        if self._manager is None:
            import pluggy

            from metaglean import hooks

            self._manager = pluggy.PluginManager(hooks.PROJECT)
            self._manager.add_hookspecs(hooks)
        return self._manager

    def _problem(self, claim: PluginInfo) -> str:
        if claim.api != API:
            return f"made for hook API {claim.api}; this version has {API}"
        rivals = [
            c.label
            for c in self._claims
            if c != claim and (c.kind, c.type, c.api) == (claim.kind, claim.type, claim.api)
        ]
        return f"also claimed by {_and(rivals)}" if rivals else ""

    def _unknown(self, kind: str, name: str) -> PluginError:
        key = (kind, name.lower())
        if key in _OWN:
            return self._not_installed(*key, _OWN[key])
        installed = self.types(kind)
        known = {*installed, *(own for of, own in _OWN if of == kind)}
        close = difflib.get_close_matches(key[1], sorted(known), n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        elsewhere = [other for other in KINDS if key[1] in self.types(other)]
        if elsewhere and not close:
            hint = f"It is a {elsewhere[0]}. "
        hint += f"Installed: {', '.join(installed) or 'none'}."
        return PluginError(f"there is no {kind} of the type {name!r}", hint)

    def _not_installed(self, kind: str, name: str, distribution: str) -> PluginError:
        there = [claim for claim in self._claims if claim.distribution == distribution]
        if there:
            return PluginError(
                f"the {kind} {name!r} is not part of {there[0].label}, which is installed",
                f"Run: pip install --upgrade {distribution}",
            )
        return PluginError(
            f"the {kind} {name!r} is not installed", f"Run: pip install {distribution}"
        )


def _installed() -> Iterator[EntryPoint]:
    # Asked once for all groups: each question reads the metadata of every distribution.
    everything = metadata.entry_points()
    for group in everything.groups:
        if _GROUP.fullmatch(group):
            yield from everything.select(group=group)


def _claims(points: Iterable[EntryPoint]) -> Iterator[PluginInfo]:
    # Name and version each parse the whole metadata of a distribution: once is enough.
    known: dict[int, tuple[str, str]] = {id(None): ("unknown", "")}
    for point in points:
        match = _GROUP.fullmatch(point.group)
        if match:
            if point.dist and id(point.dist) not in known:
                known[id(point.dist)] = point.dist.name, point.dist.version
            name, version = known[id(point.dist)]
            module = re.split(r"[:\[]", point.value)[0].strip()
            yield PluginInfo(match[1], point.name.lower(), name, version, module, match[2])


def _picked(info: PluginInfo, offered: list[Any]) -> type[Component]:
    from metaglean import components

    base: type[Component] = getattr(components, info.kind.capitalize())
    origin = f"{info.module} of {info.label}"
    for item in offered:
        if not (isinstance(item, type) and issubclass(item, base)):
            raise PluginError(
                f"{origin}: register_{info.kind}s() returned {item!r}",
                f"It returns classes that inherit from metaglean.{base.__name__}.",
            )
    for item in offered:
        if str(getattr(item, "type", "")).lower() == info.type:
            missing = sorted(getattr(item, "__abstractmethods__", ()))
            if missing:
                raise PluginError(f"{origin}: {item.__name__} lacks {_and(missing)}")
            found: type[Component] = item
            return found
    types = ", ".join(repr(getattr(item, "type", None)) for item in offered) or "nothing"
    raise PluginError(
        f"{origin}: the entry point says {info.kind} {info.type!r}, "
        f"register_{info.kind}s() offers {types}",
        "The class attribute `type` must equal the entry point's name.",
    )


def _failure(info: PluginInfo, what: str, error: BaseException | None) -> PluginError:
    """A plugin's error as ours; what the host or the user raised inside of it stays what it is."""
    if error and from_host(error):
        raise error
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    failure = PluginError(
        f"the {info.kind} {info.type!r} of {info.label} {what}: {reason}",
        f"The plugin module is {info.module}. Reinstall or update {info.distribution}.",
    )
    failure.__cause__ = error
    return failure


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)
