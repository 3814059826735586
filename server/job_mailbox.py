"""The job that brings in a mailbox: each unread message is one item, marked read once it is stored.

Attached tables (CSV, XLSX ...) go to the inbox folder, where the inbox job finds them. A message is known by
its Message-ID, so one that is fetched again after a kill stores nothing twice.
"""

import email
import email.policy
import hashlib
import imaplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson
from pydantic import BaseModel, ConfigDict, Field

from pipeline.account import IngestOptions
from server.job_inbox import ingest_paths, refresh
from server.job_runner import JobWork
from store.durable_files import write_whole
from store.errors import ConfigError, InputError
from store.records import Channel

_TABLES: Final = frozenset({".csv", ".tsv", ".xlsx", ".jsonl", ".parquet", ".gz"})
_TIMEOUT_S: Final = 30.0
_LONGEST: Final = 20_000


class MailboxArguments(BaseModel):
    """How much of the mailbox; its address is VOICELOOP_MAIL_URL."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(default=500, ge=1, le=10_000, description="messages in one run")


class Mail(NamedTuple):
    """One message: its number in the mailbox, what is stored of it, and its attached tables by name."""

    uid: bytes
    row: dict[str, Any]
    tables: Sequence[tuple[str, bytes]]


def ingest_mailbox(args: MailboxArguments, work: JobWork) -> Mapping[str, Any]:
    """Bring in the unread messages."""
    with _mailbox(work) as box:
        uids = _unread(box)[: args.most]
        mails = [_fetched(box, uid) for uid in uids]
        if not mails:
            return {"messages": 0}
        for name, body in (table for mail in mails for table in mail.tables):
            write_whole(_free(work.app.home / "inbox" / name), body)
        rows = [mail.row for mail in mails]
        name = hashlib.sha256("\n".join(row["feedback_id"] for row in rows).encode()).hexdigest()[:16]
        file = work.app.home / "mail" / f"{name}.jsonl"
        write_whole(file, b"".join(orjson.dumps(row) + b"\n" for row in rows))
        report = ingest_paths([file], IngestOptions(source="mail", channel=Channel.EMAIL), work)
        for mail in mails:
            box.uid("STORE", mail.uid.decode(), "+FLAGS", r"(\Seen)")
        file.unlink()
    refresh(work)
    counts = {key: getattr(report, key) for key in ("read", "stored", "duplicates", "rejected")}
    return {"messages": len(mails), "tables": sum(len(mail.tables) for mail in mails), **counts}


@contextmanager
def _mailbox(work: JobWork) -> Iterator[imaplib.IMAP4]:
    """The open mailbox of the settings. Raises ConfigError without one, InputError where it is not read."""
    secret = work.app.settings.mail_url
    if secret is None:
        raise ConfigError("no mailbox is set", hint="set VOICELOOP_MAIL_URL=imaps://user:password@host/INBOX")
    url = urlsplit(secret.get_secret_value())
    if url.scheme not in ("imap", "imaps") or not url.hostname or not url.username:
        raise ConfigError("VOICELOOP_MAIL_URL is no imaps://user:password@host/FOLDER")
    folder = unquote(url.path.lstrip("/")) or "INBOX"
    try:
        if url.scheme == "imaps":
            context = ssl.create_default_context()
            box: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                url.hostname, url.port or 993, ssl_context=context, timeout=_TIMEOUT_S
            )
        else:
            box = imaplib.IMAP4(url.hostname, url.port or 143, timeout=_TIMEOUT_S)
        with box:
            box.login(unquote(url.username), unquote(url.password or ""))
            state, _ = box.select(f'"{folder}"')
            if state != "OK":
                raise InputError(f"the mailbox has no folder {folder!r}")
            yield box
    except (imaplib.IMAP4.error, OSError) as error:
        # The server's words, never the address: it holds the password.
        raise InputError(f"the mailbox at {url.hostname} cannot be read: {error}") from error


def _unread(box: imaplib.IMAP4) -> list[bytes]:
    state, found = box.uid("SEARCH", "UNSEEN")
    if state != "OK":
        raise InputError("the mailbox refuses to be searched")
    return bytes(found[0] or b"").split()


def _fetched(box: imaplib.IMAP4, uid: bytes) -> Mail:
    # PEEK leaves it unread until it is stored.
    _, parts = box.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
    body = next((bytes(part[1]) for part in parts if isinstance(part, tuple)), b"")
    message = email.message_from_bytes(body, policy=email.policy.default)
    return Mail(uid, row_of(message, body), list(_tables(message)))


def row_of(message: EmailMessage, body: bytes) -> dict[str, Any]:
    """What is stored of a message; its sender as a digest, for an address is personal data."""
    plain = message.get_body(preferencelist=("plain", "html"))
    said = plain.get_content() if plain is not None else ""
    if plain is not None and plain.get_content_type() == "text/html":
        said = _without_markup(said)
    sender = parseaddr(str(message.get("From", "")))[1].lower()
    known = str(message.get("Message-ID", "")).strip() or hashlib.sha256(body).hexdigest()
    text = "\n".join(part for part in (str(message.get("Subject", "")).strip(), said.strip()) if part)
    try:
        at = parsedate_to_datetime(str(message.get("Date", ""))).isoformat()
    except (TypeError, ValueError):
        at = None
    return {
        "feedback_id": f"mail-{hashlib.sha256(known.encode()).hexdigest()[:20]}",
        "occurred_at": at,
        "customer_id": f"mail-{hashlib.sha256(sender.encode()).hexdigest()[:16]}" if sender else None,
        "text": text[:_LONGEST],
    }


def _without_markup(html: str) -> str:
    from html.parser import HTMLParser

    kept: list[str] = []

    class Words(HTMLParser):
        hidden = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.hidden += tag in ("style", "script", "head")
            if tag in ("br", "p", "div", "tr", "li"):
                kept.append("\n")

        def handle_endtag(self, tag: str) -> None:
            self.hidden -= tag in ("style", "script", "head")

        def handle_data(self, data: str) -> None:
            if self.hidden <= 0:
                kept.append(data)

    Words().feed(html)
    return "\n".join(line.strip() for line in "".join(kept).splitlines() if line.strip())


def _tables(message: EmailMessage) -> Iterator[tuple[str, bytes]]:
    for part in message.iter_attachments():
        # The name is the sender's: nothing but its last part is used.
        name = Path((part.get_filename() or "").replace("\\", "/")).name.lstrip(".")
        if Path(name).suffix.lower() in _TABLES:
            body = part.get_payload(decode=True)
            if isinstance(body, bytes) and body:
                yield name, body


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
