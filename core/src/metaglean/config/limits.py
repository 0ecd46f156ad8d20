"""`limits:` of a workflow."""

from __future__ import annotations

from pydantic import Field
from pydantic.alias_generators import to_camel

from metaglean.components import Config
from metaglean.quota import Bound, Limits


class SystemLimits(Config):
    """What a run may ask of one system."""

    requests_per_second: float | None = Field(
        None, gt=0, description="A fixed rate; by default it follows what the system allows."
    )
    requests_per_run: int | None = Field(
        None, gt=0, description="Requests in one run, repeated ones included; then it ends."
    )
    minutes: float | None = Field(
        None, gt=0, description="Minutes from the start of the run; then it ends."
    )


class LimitsConfig(SystemLimits):
    """`limits:`, what a run may ask of the systems it talks to; what stands outside of `systems` is
    for each system of the source."""

    systems: dict[str, SystemLimits] = Field(
        {}, description="The same by name of the system, as the summary calls it."
    )
    spool: str | None = Field(
        None,
        min_length=1,
        description="A file for what is read while the sink is away; `metaglean push` sends it.",
    )

    def of(self, name: str, *, of_source: bool) -> Limits:
        """What the system `name` may be asked."""
        rate = self._bound("requests_per_second", name, of_source)
        minutes = self._bound("minutes", name, of_source)
        return Limits(
            rate.value if rate else None,
            self._bound("requests_per_run", name, of_source),
            minutes._replace(value=60 * minutes.value) if minutes else None,
        )

    def _bound(self, field: str, name: str, of_source: bool) -> Bound | None:
        """The value that counts, and where it stands."""
        own = self.systems.get(name, SystemLimits())
        key = to_camel(field)
        if (value := getattr(own, field)) is not None:
            return Bound(value, f"limits.systems.{name}.{key}")
        if of_source and (value := getattr(self, field)) is not None:
            return Bound(value, f"limits.{key}")
        return None
