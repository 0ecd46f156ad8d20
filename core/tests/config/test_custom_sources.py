"""Workflows that name a Python class instead of a plugin are told where it is explained."""

from __future__ import annotations

import pytest

from metaglean.config.source import PORTING
from metaglean.errors import ConfigError, PluginError

CUSTOM = """\
source:
  type: {type}
  serviceName: csvs
  serviceConnection:
    config:
      type: CustomDatabase
      sourcePythonClass: connector.my_csv_connector.CsvConnector
      connectionOptions:
        source_directory: /data/sample.csv
  sourceConfig:
    config:
      type: DatabaseMetadata
sink:
  type: catalog
"""


@pytest.mark.parametrize(
    "type_",
    [
        "customdatabase", "customDatabase", "CustomDatabase", "custom-database", "custom_database",
        "custompipeline", "customDashboard", "custom-mlmodel",
    ],
)  # fmt: skip
def test_a_custom_source_is_one_error_that_names_the_page(errors, type_):
    assert errors(CUSTOM.format(type=type_), kind=ConfigError) == (
        f"w.yaml:2:9  source.type: there is no source {type_!r}: sources are plugins, found by "
        "their type\n"
        "    docs/authors/porting.md makes a plugin of the class that sourcePythonClass names"
    )


def test_so_is_one_of_another_type_that_names_a_class(errors):
    text = CUSTOM.format(type="my-csv")
    assert "w.yaml:2:9  source.type: there is no source 'my-csv'" in errors(text)
    assert PORTING in errors(text)


def test_a_source_that_is_merely_called_so_is_not_meant(errors):
    text = CUSTOM.format(type="customers").replace("sourcePythonClass", "url")
    assert PORTING not in errors(text, kind=PluginError)


def test_a_plugin_may_have_the_type(load, registry):
    registry.classes["source", "customdatabase"] = registry.classes["source", "plain"]
    text = "source: {type: customDatabase, serviceName: csvs, serviceConnection: {config: {}}}"
    assert load(text).source_class.type == "plain"


def test_the_class_beside_a_plugin_is_an_error(errors, workflow):
    text = errors(workflow("sourcePythonClass: acme.Source"))
    assert text == (
        "w.yaml:9:7  source.serviceConnection.config.sourcePythonClass: sources are plugins, found "
        f"by their type\n    {PORTING} makes a plugin of the class that sourcePythonClass names"
    )


def test_the_class_beside_the_type_has_no_effect(load, workflow):
    text = workflow().replace("  type: shop\n", "  type: shop\n  sourcePythonClass: acme.Source\n")
    warning = load(text).warnings[0]
    assert "source.sourcePythonClass: has no effect: sources are plugins" in warning
    assert PORTING in warning


def test_the_same_without_a_file(parse):
    config = {"type": "CustomDatabase", "sourcePythonClass": "acme.Source"}
    source = {"type": "customDatabase", "serviceName": "a", "serviceConnection": {"config": config}}
    with pytest.raises(ConfigError, match=r"docs/authors/porting\.md"):
        parse({"source": source, "sink": {"type": "catalog"}})
