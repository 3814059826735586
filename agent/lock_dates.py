"""Dates as people write them, held against ISO dates."""

import calendar
import re

_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
Parts = tuple[int | None, int | None, int | None]


def date_parts(text: str) -> Parts:
    """(year, month, day) as far as they are written; a quarter or half counts as its first month."""
    lowered = text.lower()
    year_match = re.search(r"(?:19|20)\d{2}", lowered)
    year = int(year_match.group()) if year_match else None
    rest = lowered.replace(year_match.group(), " ", 1) if year_match else lowered
    if quarter := re.search(r"([qh])([1-4])", rest):
        step = 3 if quarter[1] == "q" else 6
        return year, (int(quarter[2]) - 1) * step + 1, None
    for name, number in _MONTHS.items():
        if name in rest:
            day = re.search(r"\d{1,2}", rest)
            return year, number, int(day.group()) if day else None
    numbers = [int(n) for n in re.findall(r"\d{1,2}", rest)]
    return year, numbers[0] if numbers else None, numbers[1] if len(numbers) > 1 else None


def covers(text: str, wanted: Parts) -> bool:
    """Whether an ISO date (or month, or a period's end) in `text` is the date that was written."""
    if quarter := re.fullmatch(r"(\d{4})-?Q([1-4])", text):
        text = f"{quarter[1]}-{3 * int(quarter[2]) - 2:02d}"
    match = re.match(r"(\d{4})-(\d{2})(?:-(\d{2}))?", text)
    if not match or wanted == (None, None, None):
        return False
    have = (int(match[1]), int(match[2]), int(match[3]) if match[3] else None)
    return all(want is None or want == got for want, got in zip(wanted, have, strict=True))
