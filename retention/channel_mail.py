"""Letters by e-mail, through the company's own SMTP server.

SMTP has no idempotency key (RFC 5321, 6.1): where the connection ends after the text was handed over and
before the server said that it took it, nobody knows. Such a letter is never sent again by itself.
"""

import email.policy
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final
from urllib.parse import unquote, urlsplit

from retention.customer_channel import Letter, NotReached, PerhapsReached
from store.clock import Clock
from store.errors import ConfigError

_TIMEOUT_S: Final = 20.0
_PORTS: Final = {"smtps": 465, "smtp": 587}
_PERMANENT: Final = 500
# Not every server takes eight bits.
_POLICY: Final = email.policy.SMTP.clone(cte_type="7bit")


class MailChannel:
    """`url`: smtps://user:password@host, smtp:// with STARTTLS, smtp+plain:// for a server on this machine.

    `sender` is the From of each letter; `address_of` gives a customer's address, None for none.
    """

    name = "mail"
    repeatable = False

    def __init__(self, url: str, sender: str, address_of: Callable[[str], str | None], clock: Clock) -> None:
        parts = urlsplit(url)
        scheme, _, plain = parts.scheme.partition("+")
        if scheme not in _PORTS or plain not in ("", "plain") or not parts.hostname:
            raise ConfigError("VOICELOOP_CUSTOMER_MAIL_URL is no smtps://user:password@host")
        if "@" not in parseaddr(sender)[1]:
            raise ConfigError(
                "VOICELOOP_CUSTOMER_MAIL_FROM is no mail address", hint="e.g. 客服中心 <care@example.com>"
            )
        self._tls = scheme == "smtps"
        self._plain = bool(plain)
        self._host, self._port = parts.hostname, parts.port or _PORTS[scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._address_of = address_of
        self._clock = clock

    def address(self, customer_id: str) -> str | None:
        """The customer's mail address."""
        return self._address_of(customer_id)

    def send(self, letter: Letter) -> None:
        """Hand one letter to the server; what it refuses before it has the whole text has not arrived."""
        mail = self._mail(letter)
        server = self._opened()
        try:
            code, _ = server.mail(parseaddr(self._sender)[1])
            if code == 250:
                code, _ = server.rcpt(letter.address)
            if code not in (250, 251):
                raise NotReached(f"the mail server refused with {code}", lasting=code >= _PERMANENT)
            self._text(server, mail)
        except (smtplib.SMTPException, OSError) as error:
            raise NotReached(f"the mail server broke off ({type(error).__name__})") from None
        finally:
            server.close()

    def _text(self, server: smtplib.SMTP, mail: EmailMessage) -> None:
        """From here on an end of the connection leaves open whether the server took it."""
        try:
            code, _ = server.data(mail.as_bytes())
        except smtplib.SMTPDataError as error:
            raise NotReached(
                f"the mail server refused the text with {error.smtp_code}",
                lasting=error.smtp_code >= _PERMANENT,
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise PerhapsReached(f"the mail server broke off in the text ({type(error).__name__})") from None
        if code != 250:
            raise NotReached(f"the mail server refused the text with {code}", lasting=code >= _PERMANENT)

    def _opened(self) -> smtplib.SMTP:
        try:
            context = ssl.create_default_context()
            if self._tls:
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    self._host, self._port, timeout=_TIMEOUT_S, context=context
                )
            else:
                server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_S)
                if not self._plain:
                    server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if self._user:
                server.login(self._user, self._password)
        except (smtplib.SMTPException, OSError) as error:
            # The kind alone: an error may quote the address or the user.
            raise NotReached(f"the mail server cannot be used ({type(error).__name__})") from None
        return server

    def _mail(self, letter: Letter) -> EmailMessage:
        mail = EmailMessage(_POLICY)
        mail["From"], mail["To"], mail["Subject"] = self._sender, letter.address, letter.title
        mail["Date"] = format_datetime(self._clock.now())
        host = parseaddr(self._sender)[1].rpartition("@")[2]
        mail["Message-ID"] = f"<{letter.letter_id}@{host}>"
        # RFC 3834: nobody's out-of-office answers.
        mail["Auto-Submitted"] = "auto-generated"
        mail["List-Unsubscribe"] = f"<mailto:{parseaddr(self._sender)[1]}?subject=unsubscribe>"
        mail.set_content(letter.text)
        return mail
