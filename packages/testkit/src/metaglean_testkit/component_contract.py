"""What every component promises, whatever its kind: where it is found, and how it is set up."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from metaglean.components import Component, Config
from metaglean.hooks import GROUPS

_SECRET_NAME = re.compile(
    r"(^|_)(secret|password|passwd|token|credentials?|api_?key|access_?key|private_?key)$"
)


class ComponentContract:
    """Base of the suites. A subclass whose name begins with `Test` is collected by pytest."""

    __test__ = False

    kind: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__test__ = cls.__name__.startswith("Test")

    @classmethod
    def component(cls) -> type[Component]:
        """The class under test (`source_class`, `processor_class`, …)."""
        name = f"{cls.kind}_class"
        found = getattr(cls, name, None)
        assert isinstance(found, type), f"{cls.__name__} must name the class: {name} = …"
        assert issubclass(found, Component), f"{found} is no component"
        return found

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        """The settings of the component as users write them."""
        return {}

    def test_type_is_a_plain_word(self) -> None:
        """`type` is lower case: letters, digits, `-` and `_`."""
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", self.component().type)

    def test_entry_point_names_the_type(self) -> None:
        """The entry point's name equals the class's `type`, and its module registers the class."""
        component, group = self.component(), GROUPS[self.kind]
        found = [point for point in entry_points(group=group) if point.name == component.type]
        assert found, f"no entry point {component.type!r} in the group {group}: is it installed?"
        assert len(found) == 1, f"{component.type!r} is claimed by {len(found)} distributions"
        module = import_module(found[0].value)
        hook = getattr(module, f"register_{self.kind}s", None)
        assert hook, f"{found[0].value} has no hook register_{self.kind}s"
        assert hasattr(hook, "metaglean_impl"), f"register_{self.kind}s lacks @hookimpl"
        assert component in list(hook()), f"register_{self.kind}s() doesn't return {component}"

    def test_capabilities_are_words(self) -> None:
        """`capabilities` is a frozenset of lower-case words."""
        capabilities = self.component().capabilities
        assert isinstance(capabilities, frozenset)
        assert all(re.fullmatch(r"[a-z][a-z_-]*", word) for word in capabilities)

    def test_assumptions_are_sentences(self) -> None:
        """Each assumption has a name of its own and is a sentence, for docs and self-checks."""
        assumptions = self.component().assumptions
        assert len({one.name for one in assumptions}) == len(assumptions)
        assert all(one.name and re.fullmatch(r"[A-Z`].*\.", one.text) for one in assumptions)

    def test_settings_fit(self, settings: Mapping[str, Any]) -> None:
        """The settings given to this suite are valid."""
        self.component().Config.model_validate(dict(settings))

    def test_unknown_keys_are_errors(self, settings: Mapping[str, Any]) -> None:
        """A misspelt key is an error, also inside of nested settings."""
        for model in self._models():
            assert model.model_config.get("extra") == "forbid", f"{model.__name__}: extra='forbid'"
        assert issubclass(self.component().Config, Config), "Config inherits from metaglean.Config"
        with pytest.raises(ValidationError):
            self.component().Config.model_validate({**settings, "noSuchKey": 1})

    def test_every_setting_is_described(self) -> None:
        """Every setting has a description: it is the reference in docs and editors."""
        missing = [name for name, field in self._fields() if not field.description]
        assert not missing, f"settings without a description: {', '.join(missing)}"

    def test_secrets_are_secret(self) -> None:
        """A setting that is named like a secret has the type SecretStr."""
        plain = [
            name
            for name, field in self._fields()
            if _SECRET_NAME.search(name.rpartition(".")[2]) and not _is_secret(field.annotation)
        ]
        assert not plain, f"named like a secret, but not SecretStr: {', '.join(plain)}"

    def _models(self) -> list[type[BaseModel]]:
        found: list[type[BaseModel]] = []
        _collect(self.component().Config, found)
        return found

    def _fields(self) -> Iterator[tuple[str, FieldInfo]]:
        for model in self._models():
            for name, field in model.model_fields.items():
                yield f"{model.__name__}.{name}", field


def _collect(annotation: Any, found: list[type[BaseModel]]) -> None:
    """All settings models that an annotation names, at any depth."""
    if _is_class(annotation) and issubclass(annotation, BaseModel):
        if annotation not in found:
            found.append(annotation)
            for field in annotation.model_fields.values():
                _collect(field.annotation, found)
        return
    for part in typing.get_args(annotation):
        _collect(part, found)


def _is_secret(annotation: Any) -> bool:
    """Whether a value of this type hides itself; flags and numbers hold no secret."""
    if annotation in (SecretStr, SecretBytes, bool, int, float, type(None)):
        return True
    if _is_class(annotation) and issubclass(annotation, BaseModel):
        return True
    parts = typing.get_args(annotation)
    return bool(parts) and all(_is_secret(part) for part in parts)


def _is_class(annotation: Any) -> bool:
    """On Python 3.10 `tuple[str, ...]` says that it is a type."""
    return isinstance(annotation, type) and typing.get_origin(annotation) is None
