"""Each hook's docstring is a complete plugin: pasted as it is, it works."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
import types

import pytest

from metaglean import hooks
from metaglean.components import Config
from metaglean.config.model import WorkflowConfig
from metaglean.options import DatabaseOptions
from metaglean.records import Ref
from metaglean.workflow import Workflow


def pasted(hook: str) -> types.ModuleType:
    """The module that a docstring shows."""
    doc = inspect.getdoc(getattr(hooks, hook))
    code = re.search(r"```python\n(.*?)```", doc, re.DOTALL)[1]
    module = types.ModuleType(f"pasted_{hook}")
    sys.modules[module.__name__] = module
    exec(compile(textwrap.dedent(code), hook, "exec"), module.__dict__)
    return module


@pytest.fixture(scope="module")
def plugins():
    return {
        kind: pasted(f"register_{kind}s").__dict__[f"register_{kind}s"]()[0]
        for kind in ("source", "processor", "sink", "profiler", "observer")
    }


def run(plugins, **options) -> Workflow:
    config = WorkflowConfig(
        service_name="svc",
        source_class=plugins["source"],
        source_config=Config(),
        source_options=DatabaseOptions(),
        sink_type="print",
        sink_class=plugins["sink"],
        sink_config=Config(),
        **options,
    )
    workflow = Workflow(config)
    workflow.execute()
    workflow.raise_from_status()
    return workflow


def test_source_processor_and_sink_of_the_docs_work_together(plugins, capsys):
    workflow = run(plugins, processors=((plugins["processor"], Config()),))
    assert "svc.default.default.greetings" in capsys.readouterr().out
    assert workflow.run.report.number("sink", "table", "created") == 1
    assert workflow.run.listings[0].complete


def test_the_profiler_of_the_docs_profiles_the_source_of_the_docs(plugins):
    assert plugins["profiler"].type == plugins["source"].type
    workflow = run(plugins, profiler=(plugins["profiler"], Config()))
    assert workflow.run.report.number("source", "profile", "read") == 1


def test_the_observer_of_the_docs_is_told_the_end(plugins, capsys):
    run(plugins, observers=((plugins["observer"], Config()),))
    assert "svc success" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["sources", "processors", "sinks", "profilers", "observers"])
def test_each_docstring_names_its_entry_point_group(kind):
    assert f"metaglean.{kind}.v1" in inspect.getdoc(getattr(hooks, f"register_{kind}"))


def test_a_ref_knows_its_parents():
    table = Ref("table", ("s", "d", "x", "t"))
    assert table.parent == Ref("databaseSchema", ("s", "d", "x"))
    assert table.parent.parent.parent == Ref("databaseService", ("s",))
    assert table.parent.parent.parent.parent is None
