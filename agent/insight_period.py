"""Which period a report is about and which it is compared with: derived from its kind and the day."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from agent.insight_document import Kind, Language, Span
from store.facts import Catalogue
from tools.arguments import PeriodArg
from tools.periods import ResolvedPeriod, comparable, resolve

_PHRASES: dict[Kind, str] = {"daily": "yesterday", "weekly": "last week", "monthly": "last month"}
# What an ad hoc report without dates covers: so many days up to the last item.
_LATEST = timedelta(days=30)


def report_spans(
    kind: Kind,
    *,
    now: datetime,
    zone: ZoneInfo,
    language: Language,
    catalogue: Catalogue,
    first: str | None = None,
    end: str | None = None,
) -> tuple[Span, Span]:
    """The period of a report and the one it is compared with.

    Daily is yesterday against the same weekday a week before (the day before has another weekday's rhythm);
    weekly the last whole week, Monday to Sunday, and monthly the last whole month, each against the one
    before. Ad hoc takes `first` and `end` (the day after the last); without them, the 30 days up to the last
    item. Raises ToolInputError for impossible dates.
    """
    period = resolve(_asked(kind, now, zone, catalogue, first, end), now=now, zone=zone, language=language)
    if kind == "daily":
        assert period.start is not None and period.end is not None
        week = timedelta(days=7)
        earlier = PeriodArg(
            from_=(period.start - week).date().isoformat(), to=(period.end - week).date().isoformat()
        )
        return _span(period), _span(resolve(earlier, now=now, zone=zone, language=language))
    return _span(period), _span(comparable(None, period, now=now, zone=zone, language=language))


def _asked(
    kind: Kind, now: datetime, zone: ZoneInfo, catalogue: Catalogue, first: str | None, end: str | None
) -> PeriodArg | str:
    if kind != "ad_hoc":
        return _PHRASES[kind]
    today = now.astimezone(zone).date()
    last = min(catalogue.last_at.astimezone(zone).date(), today) if catalogue.last_at else today
    ended = (last + timedelta(days=1)).isoformat()
    if first is None and end is None:
        return PeriodArg(from_=(last + timedelta(days=1) - _LATEST).isoformat(), to=ended)
    if first is None:
        began = catalogue.first_at.astimezone(zone).date() if catalogue.first_at else today - _LATEST
        return PeriodArg(from_=began.isoformat(), to=end)
    return PeriodArg(from_=first, to=end or ended)


def _span(period: ResolvedPeriod) -> Span:
    assert period.start is not None and period.end is not None
    return Span(start=period.start.isoformat(), end=period.end.isoformat(), label=period.label)
