"""The self-check against Domo's sandbox and a server: what is broken is named, nothing is left."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.gate import to
from tests.server.place import Place, Site, opened

from metaglean.config import parse_workflow
from metaglean.errors import Interrupted
from metaglean.plugins import Registry
from metaglean.selfcheck import Finding, Selfcheck, as_json, as_markdown
from metaglean.selfcheck.checking import MARK
from metaglean_domo_sandbox import Fault
from metaglean_testkit.faults import Request

SITES = pytest.mark.parametrize("site", ["real", "fake 2.0.0"], indirect=True)
FAKE = pytest.mark.parametrize("site", ["fake 2.0.0"], indirect=True)
# The sandbox has views with what is unknown on purpose, and its address is no Domo's.
OF_THE_SANDBOX = {"instance address", "view SQL"}
PATIENCE = 60.0


class Places:
    """One on each server, made when first asked for."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._made: dict[str, Place] = {}

    def on(self, site: Site) -> Place:
        if site.url not in self._made:
            self._made[site.url] = self._stack.enter_context(opened(site, "checked"))
        return self._made[site.url]


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    with contextlib.ExitStack() as stack:
        yield Places(stack)


@pytest.fixture
def place(site: Site, places: Places) -> Iterator[Place]:
    found = places.on(site)
    yield found
    found.gate.open()
    found.sandbox.faults = ()


def selfcheck(place: Place) -> Selfcheck:
    return Selfcheck(parse_workflow(place.config(), Registry()))


def broken(findings: list[Finding]) -> dict[str, str]:
    return {one.name: one.detail for one in findings if one.ok is False}


def scratches(place: Place) -> list[str]:
    """Every service of a self-check that stands, soft-deleted ones too."""
    services = place.admin.all("services/databaseServices", include="all")
    return [one["name"] for one in services if one["name"].startswith(f"{place.service}_")]


def check_nothing_left(place: Place, scratch: str) -> None:
    assert scratches(place) == []
    for collection, below in (
        ("services/databaseServices", ""), ("databases", ".sample"),
        ("databaseSchemas", ".sample.sample"), ("tables", ".sample.sample.plain"),
    ):  # fmt: skip
        assert place.admin.find(collection, f"{scratch}{below}", include="all") is None
    assert place.admin.all("databases", service=scratch, include="all") == []


@FAKE
def test_what_holds_and_what_does_not_with_nothing_left(place: Place) -> None:
    check = selfcheck(place)
    findings = list(check.findings())
    assert broken(findings).keys() == OF_THE_SANDBOX, findings
    untested = {one.name for one in findings if one.ok is None}
    assert untested == {"bulk call", "rates", "server people"}
    planned = {one.name for _, assumptions in check.plan() for one in assumptions}
    assert {one.name for one in findings} == planned
    assert {call.method for call in place.gate.calls} >= {"PUT", "PATCH", "DELETE"}
    check_nothing_left(place, check.scratch)
    assert check.left == []


@SITES
def test_an_assumption_that_is_broken_on_each_side_is_named(place: Place) -> None:
    """Domo refuses the sort; a gateway before the server makes another status of 404."""
    place.sandbox.faults = [Fault("400-wrapped", route="^datasets$", target="sort=")]
    path = "tables/name/metaglean.selfcheck"
    place.gate.rule = lambda request: "403" if to("GET", path, "403")(request) else ""
    check = selfcheck(place)
    found = broken(list(check.findings()))
    assert found.keys() == {*OF_THE_SANDBOX, "sorted listing", "server not found"}
    assert found["server not found"] == "answered 403"
    check_nothing_left(place, check.scratch)


@FAKE
@pytest.mark.parametrize(
    ("method", "path", "status", "names"),
    [
        ("PATCH", "tables/", "403", {"changes what differs", "follows a rename"}),
        ("GET", ".*/versions", "403", {"server history"}),
        ("PUT", "databaseSchemas", "400", {"creates"}),
    ],
)
def test_a_server_that_refuses(
    place: Place, method: str, path: str, status: str, names: set[str]
) -> None:
    place.gate.rule = to(method, path, status)
    check = selfcheck(place)
    assert broken(list(check.findings())).keys() >= names
    check_nothing_left(place, check.scratch)


@FAKE
def test_a_server_that_is_away_leaves_the_source_tested(place: Place) -> None:
    place.gate.rule = lambda _request: "401"
    findings = list(selfcheck(place).findings())
    source = [one for one in findings if one.component == "source domodatabase"]
    assert {one.ok for one in source} == {True, False, None}
    assert {one.ok for one in findings if one not in source} == {None}
    place.gate.open()
    check_nothing_left(place, "none")


@FAKE
def test_a_caller_who_has_seen_enough_leaves_nothing(place: Place) -> None:
    check = selfcheck(place)
    findings = check.findings()
    for one in findings:
        if one.name == "creates":
            assert scratches(place) == [check.scratch]
            findings.close()
    check_nothing_left(place, check.scratch)


@FAKE
def test_an_interrupt_inside_a_call_leaves_nothing(place: Place) -> None:
    check = selfcheck(place)
    findings = check.findings()
    for one in findings:
        if one.name == "creates":
            break
    with pytest.raises(Interrupted):
        findings.throw(Interrupted(15))
    check_nothing_left(place, check.scratch)


@pytest.mark.parametrize(
    ("site", "number"),
    [("real", signal.SIGINT), ("fake 2.0.0", signal.SIGTERM)],
    indirect=["site"],
)
def test_a_signal_in_the_middle_leaves_nothing(
    place: Place, number: signal.Signals, tmp_path: Path
) -> None:
    file, report = tmp_path / "workflow.json", tmp_path / "report.json"
    file.write_text(json.dumps(place.config()), "utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "metaglean", "selfcheck", "--live", "-c", str(file),
         "--report", str(report)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    seen = 0

    def rule(request: Request) -> str:
        nonlocal seen
        seen += request.method == "PATCH"
        if request.method == "PATCH" and seen == 1:
            process.send_signal(number)
        return ""

    place.gate.rule = rule
    said, _ = process.communicate(timeout=PATIENCE)
    assert seen
    assert process.returncode == 128 + number, said
    assert "Traceback" not in said
    assert "creates" in report.read_text("utf-8")
    assert scratches(place) == []


@FAKE
def test_what_earlier_ones_left_is_removed_where_it_bears_the_mark(place: Place) -> None:
    now = int(time.time())
    services = {
        "_selfcheck_00000001": f"{MARK}{now - 7200}.",
        "_selfcheck_00000002": f"{MARK}{now - 60}.",
        "_selfcheck_00000003": "Made by a person.",
        "_selfcheck_of mine": f"{MARK}{now - 7200}.",
    }
    api = place.site.api()
    for name, description in services.items():
        api.put("services/databaseServices", {
            "name": place.site.discard("services/databaseServices", f"{place.service}{name}"),
            "serviceType": "CustomDatabase", "description": description})  # fmt: skip
    check = selfcheck(place)
    list(check.findings())
    left = [name.removeprefix(place.service) for name in scratches(place)]
    assert sorted(left) == sorted(services)[1:]
    assert [note.partition(",")[0].partition(" is")[0] for note in check.notes] == [
        f"{place.service}{name}" for name in list(services)[:2]
    ]
    for name in scratches(place):
        found = api.by_name("services/databaseServices", name)
        api.delete(f"services/databaseServices/{found['id']}", hardDelete=True, recursive=True)


@pytest.mark.parametrize("site", ["fake 1.2.0"], indirect=True)
def test_a_name_that_the_server_can_not_hold_is_found_again(place: Place) -> None:
    """So that nothing of it is left either."""
    name = f"{place.service}/we::ird 'b'"
    odd = Place(place.site, place.sandbox, place.gate, name, place.tag)
    check = selfcheck(odd)
    findings = list(check.findings())
    assert broken(findings).keys() == OF_THE_SANDBOX, findings
    assert check.left == []
    services = place.admin.all("services/databaseServices", include="all")
    assert [one["name"] for one in services if place.service in one["name"]] == []


@FAKE
def test_a_persons_token_can_not_tell_whether_texts_change(place: Place) -> None:
    config = place.config(token=place.site.admin_token)
    findings = list(Selfcheck(parse_workflow(config, Registry())).findings())
    assert broken(findings).keys() == OF_THE_SANDBOX
    told = {one.name for one in findings if one.ok is None}
    assert told >= {"changes what differs", "follows a rename", "server history"}
    assert scratches(place) == []


@FAKE
def test_what_can_not_be_removed_is_told(place: Place) -> None:
    place.gate.rule = to("DELETE", "services/", "403")
    check = selfcheck(place)
    list(check.findings())
    assert check.left == [check.scratch] == scratches(place)
    place.gate.open()
    api = place.site.api()
    found = api.by_name("services/databaseServices", check.scratch)
    api.delete(f"services/databaseServices/{found['id']}", hardDelete=True, recursive=True)


@FAKE
def test_the_report_tells_strangers_nothing(place: Place) -> None:
    place.sandbox.faults = [Fault("403", route="^(bulk|dataset|streams)$")]
    check = selfcheck(place)
    findings = list(check.findings())
    access = place.sandbox.connection()
    names = {dataset.name for dataset in place.tenant.live()} - {"plain"}
    hidden = {
        place.service,
        place.site.token,
        *access.values(),
        "127.0.0.1",
        *place.tenant.datasets,
    }
    for text in (
        as_markdown(check.config, findings, check.notes),
        json.dumps(as_json(check.config, findings, check.notes)),
    ):
        assert [one for one in hidden if str(one) in text] == []
        assert [one for one in names if f" {one} " in text] == []
        assert "metaglean-plugin-domo" in text
        assert "metaglean-core" in text
