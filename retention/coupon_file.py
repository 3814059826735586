"""Coupon codes from a CSV file: `code,amount,currency,valid_until`."""

import csv
import io
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from store.contacts import Coupon
from store.errors import InputError

_COLUMNS = ("code", "amount", "currency", "valid_until")


def coupons_of(text: str, zone: ZoneInfo) -> list[Coupon]:
    """Read the file. `valid_until` is the last day on which a code is good.

    Raises InputError naming the first wrong line; codes are not quoted, for they are worth money.
    """
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [one for one in _COLUMNS if one not in (rows.fieldnames or ())]
    if missing:
        raise InputError(f"no column {', '.join(missing)}", hint=f"its header is: {','.join(_COLUMNS)}")
    return [_coupon(row, number, zone) for number, row in enumerate(rows, start=2)]


def _coupon(row: dict[str, str], number: int, zone: ZoneInfo) -> Coupon:
    try:
        day = date.fromisoformat((row["valid_until"] or "").strip())
        ends = datetime.combine(day + timedelta(days=1), time(), zone)
        return Coupon.model_validate(
            {
                "code": (row["code"] or "").strip(),
                "amount": (row["amount"] or "").strip(),
                "currency": (row["currency"] or "").strip(),
                "valid_until": ends,
            }
        )
    except ValidationError as error:
        wrong = ", ".join(str(one["loc"][0]) for one in error.errors())
        raise InputError(f"line {number}: wrong {wrong}") from None
    except ValueError:
        raise InputError(f"line {number}: valid_until is no day like 2026-12-31") from None
