"""Commands of the server: `serve`, and `keys` for who may call it."""

from typing import TYPE_CHECKING, cast, get_args

import typer

from server.console import DEMO_FOLDER, JsonFlag, application, command, out, print_json, settings_now
from store.errors import ToolInputError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from store.keys import ApiKey, Role

keys = typer.Typer(help="API keys: who may call the server", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.add_typer(keys, name="keys")


def serve(
    host: str = typer.Option("127.0.0.1", "--host", help="address; any but loopback needs an API key first"),
    port: int = typer.Option(8000, "--port", min=0, max=65_535, help="0: any that is free"),
    as_json: bool = JsonFlag,
) -> None:
    """Serve the API, the chat and the web page until it is interrupted."""
    sample = None
    with command(as_json):
        sample = _served_folder()
    with command(as_json), application("refuse", home=sample) as app:
        from server.serve import Started, run_server

        def started(server: Started) -> None:
            if as_json:
                print_json(server._asdict())
                return
            out().print(f"VoiceLoop {server.url}")
            if sample is not None:
                out().print(
                    f"还没有数据，展示示例数据 no data yet: this is the sample feed ({app.home})",
                    markup=False,
                )
            if server.single_user:
                out().print(f"single-user: whoever sits at this machine is {app.settings.user}")

        run_server(app, host, port, started)


@keys.command()
def create(
    name: str = typer.Option(..., "--name", help="on whose behalf it asks, e.g. a person or a program"),
    role: str = typer.Option("viewer", "--role", help="viewer, analyst, manager, admin or service"),
    scope: list[str] = typer.Option(
        [], "--scope", help="org unit that may be seen, with all below; may be repeated; none: everything"
    ),
    days: int = typer.Option(0, "--days", min=0, max=3_650, help="valid for so many days; 0: until revoked"),
    as_json: bool = JsonFlag,
) -> None:
    """Make a key. Its token is shown now and never again."""
    with command(as_json), application() as app:
        made = app.keys.create(
            name=name.strip(),
            role=_role(role),
            scope=tuple(scope),
            created_by=app.settings.user,
            expires_at=_expiry(app.clock.now(), days),
        )
    if as_json:
        print_json({"key": made.key, "token": made.token})
    else:
        out().print(_line(made.key), markup=False)
        out().print(made.token, markup=False, soft_wrap=True)


@keys.command("list")
def list_keys(as_json: bool = JsonFlag) -> None:
    """List the keys, newest first, without their tokens."""
    with command(as_json), application() as app:
        known = app.keys.all()
    if as_json:
        print_json({"keys": known})
        return
    for key in known:
        out().print(_line(key), markup=False)
    if not known:
        out().print("no key yet: `voiceloop keys create` makes one")


@keys.command()
def revoke(
    key_id: str = typer.Argument(..., help="as `keys list` shows it"), as_json: bool = JsonFlag
) -> None:
    """End a key for good, and whoever is signed in by it."""
    with command(as_json), application() as app:
        key = app.keys.revoke(key_id, revoked_by=app.settings.user)
    if as_json:
        print_json({"key": key})
    else:
        out().print(_line(key), markup=False)


def _served_folder() -> "Path | None":
    """The sample feed's folder where `voiceloop demo` was run and nothing of one's own was brought in yet."""
    from agent.wiring_stores import FACTS_FILE

    home = settings_now().home
    demo = home / DEMO_FOLDER
    empty = not (home / FACTS_FILE).exists()
    return demo if empty and (demo / FACTS_FILE).exists() else None


def _role(named: str) -> "Role":
    from store.keys import Role

    if named not in get_args(Role):
        raise ToolInputError(f"there is no role {named!r}", hint=f"one of {', '.join(get_args(Role))}")
    return cast("Role", named)


def _expiry(now: "datetime", days: int) -> "datetime | None":
    from datetime import timedelta

    return now + timedelta(days=days) if days else None


def _line(key: "ApiKey") -> str:
    scope = ", ".join(key.scope) or "everything"
    ended = f"  revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
    until = f"  until {key.expires_at:%Y-%m-%d}" if key.expires_at else ""
    return f"{key.key_id}  {key.name}  {key.role}  {scope}{until}{ended}"
