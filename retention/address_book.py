"""Where customers' mail goes: a CSV file of the company's own, read when needed and stored nowhere else."""

import csv
import io
import re
from pathlib import Path
from typing import Final

from store.errors import ConfigError

_COLUMNS: Final = ("customer_id", "mail")
# Addresses as nearly everybody has them: ASCII, nothing that would need quoting in a header.
_MAIL: Final = re.compile(r"^[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+$", re.ASCII)


class AddressBook:
    """`customer_id,mail`, a customer a line, UTF-8; an empty `mail` is none. Read again after a change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None
        self._mail: dict[str, str] = {}

    def mail(self, customer_id: str) -> str | None:
        """The address of a customer; None without one. ConfigError for a file of another shape."""
        try:
            stat = self._path.stat()
            if (stat.st_mtime_ns, stat.st_size) != self._read_at:
                self._mail = _parsed(self._path.read_text(encoding="utf-8-sig"), self._path.name)
                self._read_at = (stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self._path.name} is not UTF-8") from error
        return self._mail.get(customer_id)


def _parsed(text: str, name: str) -> dict[str, str]:
    rows = csv.DictReader(io.StringIO(text))
    missing = [one for one in _COLUMNS if one not in (rows.fieldnames or ())]
    if missing:
        raise ConfigError(f"{name}: no column {', '.join(missing)}", hint="its header is: customer_id,mail")
    found: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        customer, mail = (str(row[one] or "").strip() for one in _COLUMNS)
        if not mail:
            continue
        # The line's number, never what it says: that is personal data.
        if not customer or not _MAIL.match(mail):
            raise ConfigError(f"{name}: line {number} is no customer with a mail address")
        found[customer] = mail
    return found
