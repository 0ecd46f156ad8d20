"""Workflows without `serviceConnection`, and what a sink is given of the source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
from pydantic import SecretStr

from metaglean.components import Config, Sink, Source, Step
from metaglean.config import parse_workflow
from metaglean.config.stored import keeps_connections, stored_config
from metaglean.errors import ConfigError, RunError
from metaglean.records import Database, Ref
from metaglean.workflow import Workflow

SECRET = "hunter2-hunter2"
LOG: list[str] = []


class ShopConfig(Config):
    SPELLINGS: ClassVar[Mapping[str, str]] = {"sandboxDomain": "instanceDomain"}
    WITHOUT_EFFECT: ClassVar[Mapping[str, str]] = {"connectionOptions": "there is no driver"}

    client: str
    secret_token: SecretStr
    instance_domain: str | None = None
    pin: SecretStr | None = None


class Shop(Source):
    type = "shop"
    Config = ShopConfig
    connection_types = ("Shop",)
    classifications = ("ShopTags",)

    @classmethod
    def check_config(cls, config, options):
        if config.client == "nobody":
            yield f"nobody may read with {config.secret_token.get_secret_value()}"

    def test_connection(self, run):
        yield Step("source", True, f"as {self.config.client} with {SECRET}")

    def read(self, run):
        LOG.append(f"read as {self.config.client}")
        run.log.warning("the pin is %s", self.config.pin.get_secret_value())
        yield Database(ref=self.service.child("database", "d"))

    def connection(self, version):
        key = "new" if version >= (1, 2) else "old"
        return {"type": "Shop", key: self.config.secret_token.get_secret_value()}


class Keeper(Sink):
    """Keeps connections."""

    type = "keeper"
    stored: Mapping[str, object] | None = None
    steps = (Step("sink", True),)

    def open(self, run):
        LOG.append("open")
        self.run = run
        yield from self.steps

    def stored_connection(self, service):
        LOG.append(f"asked for {service}")
        return self.stored

    def write(self, records, run):
        for record in records:
            if record.ref.kind == "databaseService":
                LOG.append(repr(run.connection((1, 2))))
                self.given = dict(run.connection((1, 1)))
        return iter(())


STORED = {
    "type": "Shop",
    "client": "anna",
    "secretToken": SECRET,
    "pin": "0815-4711",
    "sandboxDomain": "https://acme.example",
    "connectionOptions": {},
    "supportsMetadataExtraction": True,
    "sampleDataStorageConfig": {"of": "another version"},
    "instanceDomain": None,
}


class Installed:
    def __init__(self, sink):
        self.sink = sink

    def get(self, kind, name):
        return Shop if kind == "source" else self.sink

    def types(self, kind):
        return ["shop"]


def workflow(stored=STORED, sink=Keeper, **more):
    LOG.clear()
    keeper = type("Kept", (sink,), {"stored": stored, "steps": more.pop("steps", Keeper.steps)})
    block = {
        "source": {"type": "shop", "serviceName": "svc", **more},
        "sink": {"type": "keeper"},
        "ingestionPipelineFQN": "svc.p",
    }
    return Workflow(parse_workflow(block, Installed(keeper)), silent=True)


def test_the_sink_is_opened_and_asked_before_there_is_a_source(caplog):
    flow = workflow()
    assert flow.config.source_config is None
    flow.execute()
    flow.raise_from_status()
    assert LOG == ["open", "asked for svc", "read as anna", "Secret(type, new)"]
    # What is stored was written by nobody who reads these warnings.
    assert flow.report()["warnings"] == []
    assert "the pin is ***" in caplog.text
    assert "0815-4711" not in caplog.text


def test_a_workflow_with_its_own_connection_asks_for_none():
    own = {"type": "Shop", "client": "ben", "secretToken": SECRET, "pin": "1234-5678"}
    workflow(serviceConnection={"config": own}).execute()
    assert LOG == ["open", "read as ben", "Secret(type, new)"]


@pytest.mark.parametrize(
    ("stored", "message", "hint"),
    [
        (None, "nothing is stored for 'svc'", "write serviceConnection"),
        ({}, "nothing is stored for 'svc'", "write serviceConnection"),
        ({**STORED, "secretToken": "*********"}, "masked secrets: secretToken", "token of a bot"),
        ({**STORED, "type": "Barn"}, "type: unknown connection type", "Correct it on the server"),
        ({"type": "Shop", "client": "a"}, "secretToken: missing", "Correct it on the server"),
        ({**STORED, "client": {}}, "client: wrong type", "Correct it"),
        ({**STORED, "client": "nobody"}, "nobody may read with *****", "Correct it"),
    ],
)
def test_what_is_stored_may_be_of_no_use(stored, message, hint):
    flow = workflow(stored)
    flow.execute()
    assert isinstance(flow.error, ConfigError)
    assert flow.error.exit_code == 2
    assert message in flow.error.message
    assert hint in flow.error.hint
    assert SECRET not in str(flow.error)
    assert not any(line.startswith("read") for line in LOG)


def test_secrets_are_known_before_anything_else_is_done_with_them():
    def stored_connection(self, service):
        return {"type": "Shop", "client": "anna", "apiKey": "other-key", "pin": "0815-4711"}

    sink = type("Early", (Keeper,), {"stored_connection": stored_connection})
    flow = workflow(sink=sink)
    flow.execute()
    assert flow.run.redactor.clean("other-key 0815-4711") == "*** ***"


def test_test_connection_begins_with_the_sink():
    flow = workflow()
    steps = list(flow.test_connection())
    assert [step.name for step in steps] == ["sink", "source"]
    assert steps[1].detail == "as anna with ***"
    flow = workflow(steps=(Step("sink", False),))
    assert [step.name for step in flow.test_connection()] == ["sink"]


def test_without_a_sink_that_keeps_connections_one_is_needed():
    class Forgetful(Keeper):
        stored_connection = Sink.stored_connection

    assert keeps_connections(Keeper)
    with pytest.raises(ConfigError, match=r"source\.serviceConnection: missing"):
        workflow(sink=Forgetful)


def test_what_a_run_offers_a_sink():
    flow = workflow()
    flow.execute()
    run = flow.run
    assert run.classifications == {"ShopTags"}
    assert run.ingestion_pipeline_fqn == "svc.p"
    assert run.server is None
    assert dict(run.at("sink").connection((1, 1))) == {"type": "Shop", "old": SECRET}
    for stage in ("source", "processor"):
        with pytest.raises(RunError, match="only a sink"):
            run.at(stage).connection((1, 2))


def test_sources_give_nothing_by_default():
    assert Source.connection(Shop(None, None, Ref("databaseService", ("s",))), (1, 2)) is None
    assert Source.classifications == ()


def test_options_count_with_a_stored_connection():
    config = stored_config(Shop, Shop.Options(), STORED, "svc")
    assert config.instance_domain == "https://acme.example"
