"""The fault suite: the author's own API, behind a proxy that spoils answers. Three things to give:

```python
class TestBookshelfFaults(SourceFaults):
    source_class = Bookshelf

    @pytest.fixture
    def upstream(self, api):
        return api.url  # a base URL, or a function from Request to Answer

    def connection(self, base_url):
        return {"hostPort": base_url, "token": "a-canary-that-is-not-secret"}
```

An undisturbed run is learned from; then each kind of call × {first, middle, last} × fault is run
as a whole workflow, with the default retry settings, into a catalog that stood from a good run.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest

from metaglean.components import Source
from metaglean_testkit.clock import START, VirtualClock
from metaglean_testkit.faults import FAULTS, Answer, Fault, Request
from metaglean_testkit.proxy import Aim, Call, FaultProxy, Handler, Wsgi, by_route, watching
from metaglean_testkit.running import Outcome, catalog_state, run_classes, secrets_of_connection
from metaglean_testkit.secrets import assert_unseen

_LEAVES = ("table", "pipeline", "dashboard")
_PATIENCE = 20.0
_NEVER_LOST = ("description", "display_name", "owners", "columns", "tasks")
State = dict[tuple[str, str], dict[str, Any]]


@dataclass
class Stage:
    """A proxy, a catalog that stood from a good run, and what an undisturbed run makes of it."""

    proxy: FaultProxy
    directory: Path
    before: State
    undisturbed: State
    good: Outcome
    calls: dict[str, list[Call]]
    first: Request
    """The first call of a run: a system that doesn't answer it in time counts as away."""


class SourceFaults:
    """Rules for a source whose API fails. The author names `source_class` and gives the fixture
    `upstream` and the method `connection`."""

    __test__ = False
    source_class: ClassVar[type[Source]]
    options: ClassVar[Mapping[str, Any]] = {}
    faults: ClassVar[Sequence[str]] = tuple(FAULTS)
    """Faults to try; leave out what your system can't do, and say why beside it."""
    seeds: ClassVar[Sequence[int]] = (1, 2, 3)
    needed: ClassVar[bool] = True
    """False for a system that the source can do without: a run goes on where it is away."""
    lost_by_one_call: ClassVar[int] = 1
    """How many entities may fail for one run with one failing call (more for bulk calls)."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__test__ = cls.__name__.startswith("Test")

    # -- what the author gives --------------------------------------------------------------------

    @pytest.fixture
    def upstream(self) -> str | Handler:
        """The author's API: its base URL, or a function from `Request` to `Answer`."""
        raise NotImplementedError("give the suite a fixture `upstream`")

    @pytest.fixture
    def wsgi(self) -> bool:
        """True where `upstream` is a WSGI application."""
        return False

    def connection(self, base_url: str) -> Mapping[str, Any]:
        """`serviceConnection.config` for the API at `base_url`; its secrets are the canaries."""
        raise NotImplementedError("give the suite a method `connection`")

    def remove_one(self) -> str | None:
        """Remove one entity from the API for good, and return its source id.

        Optional: None (the default) leaves the positive control out.
        """
        return None

    # -- the stage --------------------------------------------------------------------------------

    @pytest.fixture
    def stage(self, upstream: str | Wsgi | Handler, wsgi: bool, tmp_path: Path) -> Iterator[Stage]:
        with FaultProxy(upstream, wsgi=wsgi) as proxy:
            base, again = tmp_path / "base.db", tmp_path / "again.db"
            made = self._run(proxy, base)
            assert made.exit_code == 0, f"the undisturbed run fails:\n{made.written}"
            shutil.copy(base, again)
            proxy.forget()
            good = self._run(proxy, again)
            assert good.exit_code == 0, f"the second undisturbed run fails:\n{good.written}"
            assert proxy.calls, "no call came through the proxy: does the source use `base_url`?"
            first, calls = proxy.calls[0].request, by_route(proxy.calls)
            before, undisturbed = catalog_state(base), catalog_state(again)
            yield Stage(proxy, tmp_path, before, undisturbed, good, calls, first)

    # -- the rules --------------------------------------------------------------------------------

    @pytest.mark.parametrize("fault", list(FAULTS))
    def test_fault_costs_nothing_that_stands(self, stage: Stage, fault: str) -> None:
        """Whatever one call answers, for good: nothing is deleted or impoverished, what doesn't
        need that call arrives, and an incomplete listing is said."""
        if fault not in self.faults:
            return
        for where, aim in _aims(stage, FAULTS[fault]):
            outcome, after = self._scenario(stage, aim)
            if stage.proxy.spoiled:
                self._judge(stage, outcome, after, f"{fault} at {where}", aim)

    @pytest.mark.parametrize("fault", [name for name, f in FAULTS.items() if f.transient])
    def test_passing_fault_is_retried(self, stage: Stage, fault: str) -> None:
        """A fault that passes costs nothing but time: the run ends as the undisturbed one."""
        if fault not in self.faults:
            return
        for where, aim in _aims(stage, FAULTS[fault], once=True):
            outcome, after = self._scenario(stage, aim)
            if fault == "timeout" and aim.request == stage.first:
                self._judge(stage, outcome, after, f"one {fault} at {where}", aim)
            else:
                self._judge_whole(stage, outcome, after, f"one {fault} at {where}")

    def test_faults_at_random(self, stage: Stage) -> None:
        """With a tenth of all answers failing in passing, nothing is lost, and equal seeds give
        equal results."""
        faults = [FAULTS[name] for name in self.faults if FAULTS[name].transient]
        for seed in self.seeds:
            states = []
            for _ in range(2):
                stage.proxy.at_random(faults, seed=seed, spared=stage.first)
                outcome, after = self._disturbed(stage)
                self._judge_whole(stage, outcome, after, f"seed {seed}")
                states.append(after)
            assert states[0] == states[1], f"seed {seed}: two runs differ"

    def test_system_away(self, stage: Stage) -> None:
        """Where nobody listens the exit code is 3, and what stands stays. A system that isn't
        `needed` costs nothing but what it alone tells: the exit code is 0, and it is said."""
        stage.proxy.stop()
        work = stage.directory / "away.db"
        shutil.copy(stage.directory / "base.db", work)
        outcome = self._run(stage.proxy, work)
        expected = 3 if self.needed else 0
        assert outcome.exit_code == expected, f"exit code {outcome.exit_code}:\n{outcome.written}"
        if not self.needed:
            assert outcome.report["warnings"], f"nothing says so:\n{outcome.written}"
            assert _leaves(outcome) == _leaves(stage.good), (
                f"something was lost:\n{outcome.written}"
            )
        self._judge_target(stage, catalog_state(work), "system away", content=False)
        self._judge_secrets(stage, outcome, work.read_bytes(), "system away")

    def test_what_is_gone_is_deleted(self, stage: Stage) -> None:
        """The positive control: what is really gone is marked deleted by a good run, alone."""
        gone = self.remove_one()
        if gone is None:
            return
        stage.proxy.forget()
        outcome, after = self._disturbed(stage)
        assert outcome.exit_code == 0, outcome.written
        deleted = {
            state["source_id"]
            for key, state in after.items()
            if state["deleted"] and not stage.before[key]["deleted"]
        }
        assert deleted == {gone}, f"marked deleted: {deleted}; gone: {gone}\n{outcome.written}"

    # -- one scenario -----------------------------------------------------------------------------

    def _scenario(self, stage: Stage, aim: Aim) -> tuple[Outcome, State]:
        stage.proxy.aim(aim)
        return self._disturbed(stage)

    def _disturbed(self, stage: Stage) -> tuple[Outcome, State]:
        work = stage.directory / "work.db"
        shutil.copy(stage.directory / "base.db", work)
        began = time.monotonic()
        outcome = self._run(stage.proxy, work)
        took = time.monotonic() - began
        assert took < _PATIENCE, f"a run took {took:.0f} real seconds: is the run's clock used?"
        self._judge_secrets(stage, outcome, work.read_bytes(), "a disturbed run")
        return outcome, catalog_state(work)

    def _run(self, proxy: FaultProxy, catalog: Path) -> Outcome:
        clock = VirtualClock(START + (3600 if catalog.exists() else 0))
        config = {
            "source": {
                "type": self.source_class.type,
                "serviceName": "faults",
                "serviceConnection": {"config": dict(self.connection(proxy.url))},
                "sourceConfig": {"config": dict(self.options)},
            },
            "sink": {"type": "catalog", "config": {"path": str(catalog)}},
        }
        with watching(clock):
            return run_classes(config, self.source_class, clock=clock)

    # -- the verdicts -----------------------------------------------------------------------------

    def _judge(self, stage: Stage, outcome: Outcome, after: State, where: str, aim: Aim) -> None:
        told = f"{where}: exit code {outcome.exit_code}\n{outcome.summary}"
        assert outcome.exit_code in (0, 1, 3), f"{told}\n{outcome.log}"
        self._judge_target(stage, after, where, content=aim.fault.content)
        stopped = str(outcome.report["error"]).startswith("the source stopped")
        assert not (aim.detail and stopped), f"one item's call ended the whole run: {told}"
        listings = {(row["kind"], row["scope"]): row for row in outcome.report["listings"]}
        incomplete = [row for row in listings.values() if not row["complete"]]
        assert not incomplete or outcome.exit_code, f"incomplete, but it ends with 0: {told}"
        kept = aim.fault.content and _says_what_it_keeps(outcome)
        missing = self._judge_listings(stage, listings, told, kept=kept)
        assert not missing or outcome.exit_code or outcome.report["problems"] or kept, (
            f"{missing} were not listed, and nothing says so: {told}"
        )
        if outcome.exit_code != 3 and not incomplete and not missing:
            written, whole = _leaves(outcome), _leaves(stage.good)
            assert written >= whole - self.lost_by_one_call, (
                f"one failing call cost {whole - written} of {whole}: {told}"
            )

    def _judge_listings(
        self, stage: Stage, listings: Mapping[Any, Any], told: str, *, kept: bool
    ) -> list[Any]:
        """No listing may call itself complete with less in it; returns the scopes not listed.

        Where a null stands in the place of a cursor, no client can tell the page from the last:
        there what wasn't listed must be `kept`, by `confirm_gone` or as it is too much, and said.
        """
        missing = []
        for row in stage.good.report["listings"]:
            found = listings.get((row["kind"], row["scope"]))
            if found is None:
                missing.append((row["kind"], row["scope"]))
            elif found["complete"] and found["listed"] < row["listed"]:
                assert kept, (
                    f"{row['scope']} calls itself complete with {found['listed']} of "
                    f"{row['listed']}: {told}"
                )
                missing.append((row["kind"], row["scope"]))
        return missing

    def _judge_target(self, stage: Stage, after: State, where: str, *, content: bool) -> None:
        """Everything that stood still stands, as it was or as the undisturbed run leaves it."""
        for key, stood in stage.before.items():
            now = after.get(key)
            assert now is not None, f"{where}: {key} is no longer there"
            assert now["deleted"] <= stood["deleted"], f"{where}: {key} was marked deleted"
            if content:
                _assert_no_poorer(stood, now, f"{where}: {key}")
            else:
                expected = (stood, stage.undisturbed[key])
                assert now in expected, f"{where}: {key} was changed to\n{now}\nfrom\n{stood}"
        new = {key for key, state in after.items() if not state["deleted"]} - stage.before.keys()
        assert content or not new, f"{where}: {new} came into being"

    def _judge_whole(self, stage: Stage, outcome: Outcome, after: State, where: str) -> None:
        """As the undisturbed run: exit code 0, everything read, nothing changed."""
        told = f"{where}: exit code {outcome.exit_code}\n{outcome.summary}"
        assert outcome.exit_code == 0, f"{told}\n{outcome.log}"
        assert not outcome.report["problems"], told
        assert _leaves(outcome) == _leaves(stage.good), f"something was lost: {told}"
        self._judge_target(stage, after, where, content=False)

    def _judge_secrets(self, stage: Stage, outcome: Outcome, catalog: bytes, where: str) -> None:
        secrets = secrets_of_connection(self.source_class, self.connection(stage.proxy.url))
        assert_unseen(outcome.written, secrets, f"log, summary or report of {where}")
        assert_unseen(catalog, secrets, f"the catalog file after {where}")


def _aims(stage: Stage, fault: Fault, *, once: bool = False) -> Iterator[tuple[str, Aim]]:
    """The calls to spoil: of each route the first, the middle and the last, named."""
    for route, calls in stage.calls.items():
        # A page can only be another call's answer where the calls differ by their query.
        paged = len({call.request.path for call in calls}) == 1
        last = len(calls) - 1
        for index in sorted({0, last // 2, last}):
            previous = _previous(calls, index) if paged else None
            name = f"call {index + 1} of {last + 1} to {route}"
            yield name, Aim(fault, calls[index].request, previous, once, detail=not paged)


def _previous(calls: Sequence[Call], index: int) -> Answer | None:
    """Another page of the same listing, that a client can tell from the one it asked for.

    The first page may be answered with the second where both calls say their place (by offset). One
    who follows a cursor doesn't, and couldn't know.
    """
    if index:
        return calls[index - 1].answer
    if len(calls) > 2 and _parameters(calls[0]) == _parameters(calls[1]):
        return calls[1].answer
    return None


def _parameters(call: Call) -> set[str]:
    query = call.request.target.partition("?")[2]
    return {name for name, _ in parse_qsl(query, keep_blank_values=True)}


def _says_what_it_keeps(outcome: Outcome) -> bool:
    """Whether the run says that something not listed stays: it isn't known to be gone
    (`confirm_gone`), or it is too much of what stands."""
    told = [row["message"] for row in (*outcome.report["warnings"], *outcome.report["problems"])]
    return any("does not confirm that" in text or "nothing is deleted: " in text for text in told)


def _leaves(outcome: Outcome) -> int:
    """How many tables, pipelines and dashboards the sink dealt with."""
    counts = outcome.report["counts"].get("sink", {})
    return sum(sum(actions.values()) for kind, actions in counts.items() if kind in _LEAVES)


def _assert_no_poorer(stood: Mapping[str, Any], now: Mapping[str, Any], where: str) -> None:
    """Wrong values may arrive as the source sent them, but nothing that was there is emptied."""
    for name in _NEVER_LOST:
        before, after = stood["state"].get(name), now["state"].get(name)
        assert after or not before, f"{where}: {name} was emptied"
        if name in ("columns", "tasks") and before:
            assert len(after or ()) >= len(before), f"{where}: {name} were lost"
