"""What period phrases mean to each other: which is later, how long, both together, the one before."""

from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from agent.frame import PeriodValue
from store.errors import ToolInputError
from tools.arguments import PeriodArg
from tools.periods import ResolvedPeriod, find_periods, previous, resolve


class PeriodReader:
    """Reads period phrases at a moment. What cannot be read gives None: the tool will say what is wrong."""

    def __init__(self, now: Callable[[], datetime], zone: ZoneInfo) -> None:
        self._now = now
        self._zone = zone

    def find(self, text: str) -> list[tuple[tuple[int, int], str]]:
        """The period phrases of a text, each with its place."""
        return [(mention.span, mention.phrase) for mention in find_periods(text)]

    def day_of(self, moment: datetime) -> date:
        """The day on which a moment falls here."""
        return moment.astimezone(self._zone).date()

    def is_later(self, first: str, second: str) -> bool:
        """Whether the first starts after the second."""
        a = self._resolve(first)
        b = self._resolve(second, near=a)
        return bool(a and b and a.start and b.start and a.start > b.start)

    def days_in(self, period: PeriodValue) -> int | None:
        """How long a period is; one without an end runs until now."""
        span = self._resolve(period)
        if span is None or span.start is None:
            return None
        end = span.end or self._now().astimezone(self._zone).replace(tzinfo=span.start.tzinfo)
        return (end - span.start).days

    def together(self, first: str, second: str) -> PeriodValue | None:
        """From the start of the earlier to the end of the later."""
        spans = [self._resolve(phrase) for phrase in (first, second)]
        starts = [span.start for span in spans if span and span.start]
        ends = [span.end for span in spans if span and span.end]
        if len(starts) < len(spans) or len(ends) < len(spans):
            return None
        return {"from": min(starts).isoformat(), "to": max(ends).isoformat()}

    def before(self, period: PeriodValue) -> PeriodValue | None:
        """The comparable period before."""
        span = self._resolve(period)
        earlier = previous(span) if span is not None else None
        if earlier is None or earlier.start is None or earlier.end is None:
            return None
        return {"from": earlier.start.isoformat(), "to": earlier.end.isoformat()}

    def _resolve(self, period: PeriodValue, near: ResolvedPeriod | None = None) -> ResolvedPeriod | None:
        given = PeriodArg.model_validate(period) if isinstance(period, dict) else period
        try:
            return resolve(given, now=self._now(), zone=self._zone, near=near)
        except ToolInputError:
            return None
