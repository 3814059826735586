"""Times of schedules: five fields of cron in a time zone, over clock changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from store.errors import ToolInputError


def next_time(cron: str, after: datetime, zone: ZoneInfo) -> datetime:
    """The first moment after `after` that a cron line names, in UTC.

    Raises ToolInputError for a line that is none, or that names no moment (30 February).
    """
    from cronsim import CronSim, CronSimError

    try:
        found: datetime = next(CronSim(cron, after.astimezone(zone)))
    except (CronSimError, StopIteration) as error:
        raise ToolInputError(
            f"{cron!r} is no time to run at",
            hint="five fields: minute hour day month weekday, e.g. `0 9 * * 1` for Mondays at nine",
        ) from error
    return found.astimezone(UTC)
