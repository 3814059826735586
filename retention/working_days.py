"""Working days: weekends, public holidays and make-up workdays of one country."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from store.errors import ConfigError

if TYPE_CHECKING:
    from holidays import HolidayBase


class WorkingCalendar:
    """Tells working days from others.

    Public holidays and make-up workdays (weekend days worked, as the State Council of China announces them
    each November for the year to come) are those of the `holidays` library. For years not announced yet it
    knows the statutory days alone; `extra_holidays` and `extra_workdays` complete or correct it and win.
    """

    def __init__(
        self, country: str, *, extra_holidays: Iterable[date] = (), extra_workdays: Iterable[date] = ()
    ) -> None:
        self._country_code = country
        self._known = _country(country)
        self._holidays = frozenset(extra_holidays)
        self._workdays = frozenset(extra_workdays)

    def is_working_day(self, day: date) -> bool:
        """Return whether people work on `day`."""
        if day in self._workdays:
            return True
        if day in self._holidays:
            return False
        return bool(self._known.is_working_day(day))

    def holiday_name(self, day: date, language: str) -> str | None:
        """The name of a public holiday in "zh" or "en"; None on any other day."""
        named = _country(self._country_code, "zh_CN" if language == "zh" else "en_US").get(day)
        return str(named) if named else None

    def add(self, day: date, working_days: int) -> date:
        """Return the `working_days`-th working day after `day` (`day` itself does not count; >= 1)."""
        if working_days < 1:
            raise ValueError(f"working_days must be at least 1, not {working_days}")
        left = working_days
        while left:
            day += timedelta(days=1)
            left -= self.is_working_day(day)
        return day


@lru_cache(maxsize=8)
def _country(code: str, language: str | None = None) -> "HolidayBase":
    from holidays import country_holidays

    try:
        return country_holidays(code, language=language)
    except NotImplementedError as error:
        raise ConfigError(
            f"policy: no public holidays are known for country {code!r}",
            hint="use an ISO 3166 code such as CN, or list the days under calendar.extra_holidays",
        ) from error
