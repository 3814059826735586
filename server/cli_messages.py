"""Commands of messages to customers: `messages list|show|send|cancel|retry|coupons|opt-out|opt-in`."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from server.cli_agent import RoleOption, ScopeOption, UserOption, Who
from server.cli_retention import show_fields, show_table
from server.console import JsonFlag, application, command, out, print_json
from server.terminal import typed_path
from store.errors import InputError, ToolInputError

if TYPE_CHECKING:
    from store.contacts import OptOut
    from store.messages import MessageStatus

messages = typer.Typer(help="messages to customers: sent once, or why not", no_args_is_help=True)
ChannelOption = typer.Option("all", "--channel", help="gateway, mail ...; all: nothing more at all")
_FIELDS = (
    "message_id", "customer_id", "kind", "playbook", "status", "why", "channel", "detail", "created_at",
    "created_by", "approved_by", "next_at", "sent_at", "attempts", "title", "text", "translation",
)  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(messages, name="messages")


@messages.command("list")
def list_messages(
    status: str = typer.Option("", "--status", help="pending_approval, prepared, sending, sent, failed ..."),
    customer: str = typer.Option("", "--customer", help="only this customer's"),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """List messages, newest first, with what holds them up or ended them."""
    from tools.message_view import message_row

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        every = context.operations.messages(status=_status(status), customer_id=customer or None)
        found = [message_row(one, app.settings.language, context) for one in every]
        if as_json:
            print_json({"messages": found})
            return
        names = ("message_id", "customer_id", "playbook", "status", "channel", "sent_at", "why")
        rows = [tuple(str(one[name] or "-")[:40] for name in names) for one in found]
        show_table(("message", "customer", "playbook", "status", "channel", "sent", "why"), rows)


@messages.command("show")
def show_message(
    message_id: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Show one message with its words."""
    from retention.message_deeds import message_named
    from tools.message_view import message_row

    with command(as_json), application() as app:
        context = app.context(Who(user, role, scope).asker(app))
        row = message_row(message_named(context.operations, message_id), app.settings.language, context)
        if as_json:
            print_json(row)
        else:
            show_fields({name: row[name] for name in _FIELDS})


@messages.command("send")
def send_messages(as_json: bool = JsonFlag) -> None:
    """Send what is prepared, as far as the policy allows it now; a server does so every five minutes."""
    with command(as_json), application() as app:
        report = app.message_sender.run()
        if as_json:
            print_json(vars(report))
            return
        out().print(
            f"{report.sent} sent, {report.waiting} wait, {report.ended} not sent any more,"
            f" {report.failed} failed, {report.unsure} perhaps arrived"
        )


@messages.command("cancel")
def cancel(
    message_id: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Have a message not sent."""
    from retention.message_deeds import cancel_message

    with command(as_json), application() as app:
        asker = Who(user, role, scope).asker(app)
        found = cancel_message(app.operations_of(asker), message_id, actor=asker.user, role=asker.role)
        _settled(found.message_id, found.status.value, as_json)


@messages.command("retry")
def retry(
    message_id: str = typer.Argument(...),
    user: str = UserOption,
    role: str = RoleOption,
    scope: list[str] = ScopeOption,
    as_json: bool = JsonFlag,
) -> None:
    """Have a message that failed sent again; you judge whether it had not arrived after all."""
    from retention.message_deeds import retry_message

    with command(as_json), application() as app:
        asker = Who(user, role, scope).asker(app)
        found = retry_message(app.operations_of(asker), message_id, actor=asker.user, role=asker.role)
        _settled(found.message_id, found.status.value, as_json)


@messages.command("coupons")
def coupons(
    file: Path | None = typer.Argument(None, help="codes to add: CSV code,amount,currency,valid_until"),
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Add coupon codes to give away; without a file, count those there are."""
    from retention.coupon_file import coupons_of
    from retention.message_deeds import add_coupons

    with command(as_json), application() as app:
        asker, added = Who(user, role, []).asker(app), 0
        if file is not None:
            found = coupons_of(_text(typed_path(file)), app.settings.zone)
            added = add_coupons(app.contacts, found, actor=asker.user, role=asker.role)
        now = app.clock.now()
        every = app.contacts.coupons()
        free = sum(one.given_at is None and one.valid_until > now for one in every)
        counts = {"added": added, "free": free, "given": sum(one.given_at is not None for one in every)}
        if as_json:
            print_json(counts)
        else:
            out().print(f"{added} added; {counts['free']} to give, {counts['given']} given")


@messages.command("opt-out")
def opt_out_customer(
    customer_id: str = typer.Argument(...),
    channel: str = ChannelOption,
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Write nothing more to a customer; what is prepared for him is not sent."""
    from retention.message_deeds import opt_out

    with command(as_json), application() as app:
        asker = Who(user, role, []).asker(app)
        found = opt_out(
            app.contacts,
            customer_id,
            channel,
            known=app.policy_book.live().messages.channels,
            actor=asker.user,
            role=asker.role,
            now=app.clock.now(),
            source="cli",
        )
        _show_wishes(found, as_json)


@messages.command("opt-in")
def opt_in_customer(
    customer_id: str = typer.Argument(...),
    channel: str = ChannelOption,
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Take an opt-out back, where the customer has agreed again."""
    from retention.message_deeds import opt_in

    with command(as_json), application() as app:
        asker = Who(user, role, []).asker(app)
        known = app.policy_book.live().messages.channels
        found = opt_in(app.contacts, customer_id, channel, known=known, actor=asker.user, role=asker.role)
        _show_wishes(found, as_json)


@messages.command("opt-outs")
def list_opt_outs(
    customer: str = typer.Option("", "--customer", help="only this customer's"), as_json: bool = JsonFlag
) -> None:
    """List who wants no messages, by which channel; columns of customers files count besides."""
    with command(as_json), application() as app:
        _show_wishes(app.contacts.opt_outs(customer or None), as_json)


def _settled(message_id: str, status: str, as_json: bool) -> None:
    if as_json:
        print_json({"message_id": message_id, "status": status})
    else:
        out().print(f"{message_id}: {status}")


def _show_wishes(found: "list[OptOut]", as_json: bool) -> None:
    if as_json:
        print_json({"opt_outs": found})
        return
    rows = [(one.customer_id, one.channel, f"{one.at:%Y-%m-%d}", one.by, one.source or "-") for one in found]
    show_table(("customer", "channel", "since", "by", "source"), rows)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error


def _status(name: str) -> "MessageStatus | None":
    from store.messages import MessageStatus

    if not name:
        return None
    try:
        return MessageStatus(name)
    except ValueError as error:
        known = ", ".join(one.value for one in MessageStatus)
        raise ToolInputError(f"no status {name!r}; there are: {known}") from error
