"""Discovery from metadata alone, and what is said about plugins that can't be used."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from textwrap import dedent

import pytest

from metaglean import hooks
from metaglean.errors import PluginError
from metaglean.plugins import API, KINDS, PluginInfo, Registry


@dataclass
class Distribution:
    name: str = "acme-plugin"
    version: str = "1.2"


@dataclass
class EntryPoint:
    name: str
    value: str
    group: str = "metaglean.sources.v1"
    dist: Distribution = field(default_factory=Distribution)


GOOD = """
    from metaglean import Source, hookimpl

    class {cls}(Source):
        type = "{type}"
        def test_connection(self, run): yield
        def read(self, run): yield

    @hookimpl
    def register_sources():
        return [{cls}]
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """`module(name, text)` → an importable module; it is forgotten after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def module(name, text):
        (tmp_path / f"{name}.py").write_text(dedent(text))
        names.append(name)
        return name

    yield module
    for name in names:
        sys.modules.pop(name, None)


def fails(registry, kind, name):
    with pytest.raises(PluginError) as caught:
        registry.get(kind, name)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_groups_are_those_of_the_hook_specs():
    assert {kind: f"metaglean.{kind}s.{API}" for kind in KINDS} == hooks.GROUPS
    assert API == hooks.API_VERSION


def test_listing_imports_nothing():
    registry = Registry([EntryPoint("Hello", "no_such_module")])
    assert registry.listed() == [
        PluginInfo("source", "hello", "acme-plugin", "1.2", "no_such_module", "v1")
    ]


def test_the_class_is_found_whatever_the_case(module):
    registry = Registry([EntryPoint("Hello", module("plug_a", GOOD.format(cls="A", type="hello")))])
    assert registry.get("source", "HELLO").__name__ == "A"
    assert registry.get("source", "hello") is registry.get("source", "Hello")


def test_a_module_with_several_kinds_is_registered_once(module):
    text = (
        GOOD.format(cls="A", type="hello")
        + """
    from metaglean import Processor

    class B(Processor):
        type = "hello"
        def process(self, records, run): return records

    @hookimpl
    def register_processors():
        return [B]
    """
    )
    name = module("plug_b", text)
    registry = Registry([
        EntryPoint("hello", name), EntryPoint("hello", name, "metaglean.processors.v1"),
    ])  # fmt: skip
    assert registry.get("source", "hello").__name__ == "A"
    assert registry.get("processor", "hello").__name__ == "B"


def test_registries_share_nothing(module):
    points = [EntryPoint("hello", module("plug_c", GOOD.format(cls="A", type="hello")))]
    assert Registry(points).get("source", "hello") is Registry(points).get("source", "hello")
    assert Registry([]).types("source") == []


def test_another_hook_api_is_listed_with_the_reason():
    registry = Registry([EntryPoint("hello", "plug", "metaglean.sources.v2")])
    (info,) = registry.listed()
    assert (info.api, info.problem) == ("v2", "made for hook API v2; this version has v1")
    assert registry.types("source") == []
    assert "the source 'hello' of acme-plugin 1.2 is made for hook API v2" in fails(
        registry, "source", "hello"
    )


def test_the_api_at_hand_wins_over_another(module):
    name = module("plug_d", GOOD.format(cls="A", type="hello"))
    registry = Registry(
        [EntryPoint("hello", "x", "metaglean.sources.v2"), EntryPoint("hello", name)]
    )
    assert registry.get("source", "hello").__name__ == "A"


def test_a_conflict_concerns_only_the_type_that_is_named(module):
    name = module("plug_e", GOOD.format(cls="A", type="fine"))
    registry = Registry([
        EntryPoint("hello", "one"),
        EntryPoint("hello", "two", dist=Distribution("other-plugin", "3")),
        EntryPoint("fine", name),
    ])  # fmt: skip
    assert registry.get("source", "fine").__name__ == "A"
    assert fails(registry, "source", "hello") == (
        "the source 'hello' is claimed by acme-plugin 1.2 and other-plugin 3\n"
        "Uninstall one of them, for example: pip uninstall other-plugin"
    )
    problems = {(i.distribution, i.type): i.problem for i in registry.listed()}
    assert problems["acme-plugin", "hello"] == "also claimed by other-plugin 3"
    assert problems["other-plugin", "hello"] == "also claimed by acme-plugin 1.2"
    assert problems["acme-plugin", "fine"] == ""


def test_the_same_claim_twice_is_no_conflict(module):
    name = module("plug_f", GOOD.format(cls="A", type="hello"))
    assert Registry([EntryPoint("hello", name)] * 2).get("source", "hello")


def test_a_plugin_that_fails_to_import_never_breaks_another(module):
    registry = Registry([
        EntryPoint("broken", module("plug_g", "raise ValueError('first line\\nsecond line')")),
        EntryPoint("hello", module("plug_h", GOOD.format(cls="A", type="hello"))),
    ])  # fmt: skip
    message = (
        "the source 'broken' of acme-plugin 1.2 fails to import: ValueError: first line\n"
        "The plugin module is plug_g. Reinstall or update acme-plugin."
    )
    assert fails(registry, "source", "broken") == message
    assert registry.get("source", "hello")
    assert fails(registry, "source", "broken") == message
    assert [bool(info.problem) for info in registry.checked()] == [True, False]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("import sys; sys.exit('no such driver')", "SystemExit: no such driver"),
        ("import sys; sys.exit()", "SystemExit"),
        ("raise __import__('metaglean').ConfigError('no such host')", "ConfigError: no such host"),
    ],
)
def test_a_plugin_that_ends_the_process_fails_like_any_other(module, line, reason):
    hook = f"from metaglean import hookimpl\n@hookimpl\ndef register_sources():\n    {line}"
    registry = Registry([
        EntryPoint("broken", module("plug_o", line)),
        EntryPoint("hello", module("plug_p", hook)),
    ])  # fmt: skip
    assert f"fails to import: {reason}\nThe plugin module" in fails(registry, "source", "broken")
    assert f"fails to register: {reason}\nThe plugin mod" in fails(registry, "source", "hello")


def test_a_signal_or_a_time_out_of_the_host_during_an_import_is_no_failure_of_the_plugin(module):
    host = "raise type('Timeout', (BaseException,), {'__module__': 'airflow.exceptions'})"
    for number, line in enumerate(("raise KeyboardInterrupt", host)):
        registry = Registry([EntryPoint("hello", module(f"plug_q{number}", line))])
        with pytest.raises(BaseException) as caught:
            registry.get("source", "hello")
        assert type(caught.value).__name__ in ("KeyboardInterrupt", "Timeout")


def test_a_module_that_is_not_there():
    registry = Registry([EntryPoint("hello", "no_such_module")])
    assert "ModuleNotFoundError: No module named 'no_such_module'" in fails(
        registry, "source", "hello"
    )


@pytest.mark.parametrize(
    "hook",
    [
        "def register_teapots(): return []",
        "def register_sources(context): return []",
    ],
)
def test_a_hook_that_this_version_does_not_know(module, hook):
    bad = f"from metaglean import hookimpl\n\n@hookimpl\n{hook}\n"
    registry = Registry([
        EntryPoint("bad", module("plug_i", bad)),
        EntryPoint("hello", module("plug_j", GOOD.format(cls="A", type="hello"))),
    ])  # fmt: skip
    assert "does not fit hook API v1: PluginValidationError" in fails(registry, "source", "bad")
    assert registry.get("source", "hello")
    assert "does not fit hook API v1" in fails(registry, "source", "bad")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.format(cls="A", type="other"), ("the entry point says source 'hello', "
         "register_sources() offers 'other'\nThe class attribute `type` must equal")),
        ("x = 1", "register_sources() offers nothing"),
        ("from metaglean import hookimpl\n@hookimpl\ndef register_sources(): return ['x']",
         "register_sources() returned 'x'\nIt returns classes that inherit from metaglean.Source."),
        ("from metaglean import hookimpl\n@hookimpl\ndef register_sources(): return 1 / 0",
         "fails to register: ZeroDivisionError"),
        (("from metaglean import Source, hookimpl\nclass A(Source):\n    type = 'hello'\n"
         "@hookimpl\ndef register_sources(): return [A]"), "A lacks read and test_connection"),
    ],
)  # fmt: skip
def test_a_plugin_that_does_not_offer_what_it_says(module, text, message):
    registry = Registry([EntryPoint("hello", module("plug_k", text))])
    assert message in fails(registry, "source", "hello")


def test_a_broken_hook_of_one_plugin_is_not_called_for_another(module):
    broken = "from metaglean import hookimpl\n@hookimpl\ndef register_sources(): return 1 / 0"
    registry = Registry([
        EntryPoint("bad", module("plug_l", broken)),
        EntryPoint("hello", module("plug_m", GOOD.format(cls="A", type="hello"))),
    ])  # fmt: skip
    fails(registry, "source", "bad")
    assert registry.get("source", "hello")


@pytest.mark.parametrize(
    ("name", "distribution"),
    [
        ("DomoDatabase", "metaglean-plugin-domo"),
        ("domodashboard", "metaglean-plugin-domo"),
        ("domopipeline", "metaglean-plugin-domo"),
        ("airflow", "metaglean-plugin-airflow"),
    ],
)
def test_a_known_type_answers_with_the_command_that_installs_it(name, distribution):
    assert fails(Registry([]), "source", name) == (
        f"the source {name.lower()!r} is not installed\nRun: pip install {distribution}"
    )


def test_a_distribution_too_old_for_a_type_is_upgraded():
    old = EntryPoint("domodatabase", "plug", dist=Distribution("metaglean-plugin-domo", "0.1"))
    assert fails(Registry([old]), "source", "domopipeline") == (
        "the source 'domopipeline' is not part of metaglean-plugin-domo 0.1, which is installed\n"
        "Run: pip install --upgrade metaglean-plugin-domo"
    )


def test_an_unknown_type_answers_with_the_nearest():
    registry = Registry([EntryPoint("hello", "plug"), EntryPoint("file", "plug")])
    assert fails(registry, "source", "helo") == (
        "there is no source of the type 'helo'\nDid you mean hello? Installed: file, hello."
    )
    # What is not installed may have been meant; what was typed is never a command.
    assert "Did you mean domodatabase?" in fails(registry, "source", "domodatabse")
    assert "pip install" not in fails(registry, "source", "metaglean-plugin-evil")
    assert "Installed: none." in fails(registry, "sink", "zzz")


def test_a_type_of_another_kind_is_told():
    registry = Registry([EntryPoint("hello", "plug")])
    assert "It is a source." in fails(registry, "sink", "hello")


def test_an_attribute_in_the_entry_point_is_left_aside(module):
    name = module("plug_n", GOOD.format(cls="A", type="hello"))
    assert Registry([EntryPoint("hello", f"{name}:A [extra]")]).get("source", "hello")


def test_what_is_installed_is_found():
    infos = Registry().listed()
    assert {("sink", "catalog"), ("source", "file")} <= {(i.kind, i.type) for i in infos}
    assert all(i.version for i in infos)


def test_listing_costs_no_heavy_import():
    code = (
        "import sys; from metaglean.plugins import Registry; Registry().listed(); "
        "print(*sorted({'pydantic', 'pluggy', 'requests', 'rich', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
