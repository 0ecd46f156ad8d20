"""What an observer promises. Inherit, name the class, and give the fixture `settings` where it
needs any:

```python
class TestBell(ObserverContract):
    observer_class = Bell
```
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from pydantic import Field, SecretStr

from metaglean.clock import SystemClock
from metaglean.components import (
    Change,
    Component,
    Config,
    ObservedRun,
    Observer,
    Phase,
    Source,
    Step,
)
from metaglean.errors import Interrupted, RemoteError
from metaglean.http import Session
from metaglean.records import Record
from metaglean.redaction import Redactor
from metaglean.report import Notice
from metaglean.run import Run
from metaglean_testkit import sample
from metaglean_testkit.component_contract import ComponentContract
from metaglean_testkit.memory import MemorySink
from metaglean_testkit.running import Outcome, run_classes
from metaglean_testkit.secrets import assert_unseen, secrets_of

CANARY = "canary-0b5erver-secret"


class _Settings(Config):
    password: SecretStr = Field(SecretStr(CANARY), description="What nobody may see.")


class _Watched(Source):
    """Yields the samples, and says its password wherever it can; then ends as it is told."""

    type: ClassVar[str] = "watched"
    Config = _Settings
    ending: ClassVar[BaseException | None] = None

    def test_connection(self, run: Run) -> Iterator[Step]:
        yield Step("read", True)

    def read(self, run: Run) -> Iterator[Record]:
        for record in sample.entities():
            if record.ref != sample.SERVICE:
                yield record
        run.warn(f"a warning with {CANARY}", CANARY, CANARY)
        run.problem(f"a problem with {CANARY}", CANARY)
        if self.ending:
            raise self.ending


class ObserverContract(ComponentContract):
    """Rules for observers. The author names `observer_class`; `settings` are its `config:`."""

    __test__ = False
    kind: ClassVar[str] = "observer"
    observer_class: ClassVar[type[Observer]]

    @pytest.fixture
    def sent(self) -> Callable[[], bytes]:
        """Override: returns all that the observer has sent or written so far."""
        return lambda: b""

    @pytest.fixture
    def away(self) -> Mapping[str, Any] | None:
        """Override: settings whose far side is away; None where the observer has no far side."""
        return None

    def test_a_run_is_the_same_with_it(self, settings: Mapping[str, Any]) -> None:
        """It changes neither the counts nor the exit code, and doesn't fail."""
        alone, observed = _run(None, None), self._observed(settings)
        assert observed.exit_code == alone.exit_code
        assert observed.report["counts"] == alone.report["counts"]
        assert _complaints(observed) == []

    @pytest.mark.parametrize("ending", ["away", "stopped", "fault"])
    def test_runs_end_in_many_ways(self, settings: Mapping[str, Any], ending: str) -> None:
        """It copes with runs that fail, are stopped, or meet a fault."""
        endings = {
            "away": RemoteError("the system is away"),
            "stopped": Interrupted(signal.SIGINT),
            "fault": KeyError("no such thing"),
        }
        alone = _run(None, None, endings[ending])
        observed = self._observed(settings, endings[ending])
        assert observed.exit_code == alone.exit_code
        assert _complaints(observed) == []

    def test_what_is_new_is_taken(self, settings: Mapping[str, Any]) -> None:
        """Phases, kinds and keys that come later don't break it, nor do those that are missing."""
        self._tell(settings)

    def test_a_run_may_end_before_it_began(self, settings: Mapping[str, Any]) -> None:
        """`started` and `ended` alone are a run as well."""
        with _observed_run() as run:
            observer = self._made(settings)
            observer.started(run)
            observer.ended({"status": "failed", "exit_code": 3, "error": "no sink"})

    def test_it_prints_nothing(
        self, settings: Mapping[str, Any], capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Standard output and standard error are not its."""
        self._tell(settings)
        assert capfd.readouterr() == ("", "")

    def test_secrets_are_unseen(
        self, settings: Mapping[str, Any], sent: Callable[[], bytes]
    ) -> None:
        """No secret, of the run or of its own, is in what it sends or what is logged."""
        own = secrets_of(self.observer_class.Config.model_validate(dict(settings)))
        observed = self._observed(settings)
        assert_unseen(observed.written, {CANARY, *own}, "the log or the report")
        assert_unseen(sent(), {CANARY}, "what it sent")

    def test_a_far_side_that_is_away_costs_a_warning(
        self, settings: Mapping[str, Any], away: Mapping[str, Any] | None
    ) -> None:
        """The run is the same, and says once that the observer is off."""
        if away is None:
            return
        alone, observed = _run(None, None), self._observed(away)
        assert observed.exit_code == alone.exit_code
        assert observed.report["counts"] == alone.report["counts"]
        assert len(_complaints(observed)) == 1

    def _tell(self, settings: Mapping[str, Any]) -> None:
        """Every call, with things that no version knows yet."""
        with _observed_run() as run:
            observer = self._made(settings)
            observer.started(run)
            observer.phase_ended(Phase("never-begun", 1.0, 2.0, "broke off"))
            observer.phase_began(Phase("dreaming", 1.0))
            novelty = Change(sample.SCHEMA.child("novelty", "x"), "created", kind="novelty")
            observer.changed([novelty])
            observer.noticed([Notice("problem", "nowhere", "what?")])
            observer.called([{"name": "Acme", "calls": 1, "novelty": 1}])
            observer.ended({"status": "novel", "novelty": [1]})

    def _made(self, settings: Mapping[str, Any]) -> Observer:
        config = self.observer_class.Config.model_validate(dict(settings))
        return self.observer_class(config)

    def _observed(
        self, settings: Mapping[str, Any], ending: BaseException | None = None
    ) -> Outcome:
        return _run(self.observer_class, settings, ending)


def _run(
    observer: type[Observer] | None,
    settings: Mapping[str, Any] | None,
    ending: BaseException | None = None,
) -> Outcome:
    watched = type("_Ending", (_Watched,), {"ending": ending})
    classes: list[type[Component]] = [watched, MemorySink]
    config: dict[str, Any] = {
        "source": {
            "type": "watched",
            "serviceName": sample.SERVICE.name,
            "serviceConnection": {"config": {"password": CANARY}},
        },
        "sink": {"type": "memory"},
    }
    if observer is not None:
        classes.append(observer)
        config["observers"] = [{"type": observer.type, "config": dict(settings or {})}]
    return run_classes(config, *classes)


def _complaints(outcome: Outcome) -> list[str]:
    """What was said of observers."""
    return [one["message"] for one in outcome.report["warnings"] if one["stage"] == "observer"]


@contextmanager
def _observed_run() -> Iterator[ObservedRun]:
    sessions: list[Session] = []

    def session(name: str, base_url: str, auth: Any = None, **options: Any) -> Session:
        made = Session(
            name, base_url, clock=SystemClock(), redactor=Redactor(), auth=auth, **options
        )
        sessions.append(made)
        return made

    yield ObservedRun(
        id="not-a-uuid",
        service=sample.SERVICE,
        source="watched",
        sink="memory",
        target="",
        started=1.0,
        dry_run=False,
        limit=None,
        pipeline="",
        session=session,
    )
    for one in sessions:
        one.close()
