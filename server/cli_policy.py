"""Commands of the retention policy: `policy check|show|history|diff|apply|revert|withdraw|learn`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from server.cli_agent import RoleOption, UserOption, Who
from server.cli_learning import learn_policy
from server.cli_retention import show_table
from server.console import JsonFlag, application, command, out, print_json
from server.terminal import typed_path
from store.errors import InputError, ToolInputError

if TYPE_CHECKING:
    from agent.policy_desk import CheckedPolicy
    from agent.wiring import App
    from retention.policy import Policy
    from retention.policy_diff import PolicyDifference
    from store.policy_versions import PolicyVersion

policy = typer.Typer(help="the retention policy: who is called, by whom, by when", no_args_is_help=True)
WhyOption = typer.Option("", "--why", help="why, for the history")
LanguageOption = typer.Option("", "--language", help="zh or en; else the configured one")
ForceOption = typer.Option(False, "--force", help="although it makes more tasks than people can take on")
FILE_OR_NUMBER = "a file, or the number of a version"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    policy.command("learn")(learn_policy)
    app.add_typer(policy, name="policy")


@policy.command("check")
def check_policy(
    which: str = typer.Argument("", help=f"{FILE_OR_NUMBER}; else the live one"),
    language: str = LanguageOption,
    strict: bool = typer.Option(False, "--strict", help="exit 1 where anything makes no sense"),
    as_json: bool = JsonFlag,
) -> None:
    """Validate a policy, warn of what makes no sense, and say what will happen for whom, by when."""
    with command(as_json), application() as app:
        text, name = _text(app, which)
        spoken = _language(language, app)
        found = app.policy_desk.check(text, spoken, name=name)
        if as_json:
            print_json(checked_figures(found))
        else:
            for sentence in found.sentences:
                out().print(sentence.text, markup=False, highlight=False, soft_wrap=True)
            for warning in found.warnings:
                out().print(
                    f"⚠ {warning.at}: {warning.text(spoken)}", markup=False, highlight=False, soft_wrap=True
                )
        if strict and found.warnings:
            raise typer.Exit(1)


@policy.command("show")
def show_policy(
    number: int = typer.Argument(0, help="a version; else the live one"), as_json: bool = JsonFlag
) -> None:
    """Print a version as YAML, ready to be edited and applied."""
    with command(as_json), application() as app:
        book = app.policy_book
        found = book.version(number) if number else book.live_version()
        if as_json:
            print_json(version_figures(found, app) | {"text": found.text})
            return
        out().print(found.text, end="", markup=False, highlight=False, soft_wrap=True)


@policy.command("history")
def list_versions(as_json: bool = JsonFlag) -> None:
    """List the versions, newest first."""
    with command(as_json), application() as app:
        found = [version_figures(one, app) for one in app.policy_book.versions()]
        if as_json:
            print_json({"versions": found})
            return
        names = ("number", "state", "at", "made_by", "reverts", "why")
        show_table(
            names, [tuple(one[name] if one[name] is not None else "" for name in names) for one in found]
        )


@policy.command("diff")
def diff_policies(
    first: str = typer.Argument(..., help=FILE_OR_NUMBER),
    second: str = typer.Argument(
        "", help=f"{FILE_OR_NUMBER}; with one alone, the live one is compared to it"
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Compare two policies value by value, from the first to the second."""
    with command(as_json), application() as app:
        before, after = (first, second) if second else ("", first)
        found = app.policy_desk.differences(named_policy(app, before), named_policy(app, after))
        if as_json:
            print_json({"differences": difference_rows(found)})
            return
        for one in found:
            out().print(
                f"{one.at}: {_shown(one.before)} → {_shown(one.after)}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
        if not found:
            out().print("no difference")


@policy.command("apply")
def apply_policy(
    which: str = typer.Argument(..., help="a file, or the number of the version in shadow mode"),
    shadow: bool = typer.Option(
        False, "--shadow", help="only watch: scanned beside the live one, nothing is sent"
    ),
    why: str = WhyOption,
    force: bool = ForceOption,
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Put a policy in force, or in shadow mode; what is live now stays in the history."""
    with command(as_json), application() as app:
        asker, desk = Who(user, role, []).asker(app), app.policy_desk
        if which.isdigit():
            done = desk.promote(asker, why=why, number=int(which), forced=force)
        else:
            text, _ = _text(app, which)
            done = desk.apply(text, asker, why=why, state="shadow" if shadow else "live", forced=force)
        _tell(done, app, as_json)


@policy.command("revert")
def revert_policy(
    number: int = typer.Argument(..., help="the version to go back to"),
    why: str = WhyOption,
    user: str = UserOption,
    role: str = RoleOption,
    as_json: bool = JsonFlag,
) -> None:
    """Go back to an earlier version: its text becomes a new version that is live."""
    with command(as_json), application() as app:
        done = app.policy_desk.revert(number, Who(user, role, []).asker(app), why=why)
        _tell(done, app, as_json)


@policy.command("withdraw")
def withdraw_shadow(
    why: str = WhyOption, user: str = UserOption, role: str = RoleOption, as_json: bool = JsonFlag
) -> None:
    """End shadow mode without any change to what is live."""
    with command(as_json), application() as app:
        _tell(app.policy_desk.withdraw(Who(user, role, []).asker(app), why=why), app, as_json)


def version_figures(version: "PolicyVersion", app: "App") -> dict[str, Any]:
    """A version without its text, times in the configured zone."""
    zone = app.settings.zone
    times = {
        name: at.astimezone(zone).isoformat(timespec="seconds") if (at := getattr(version, name)) else None
        for name in ("at", "live_from", "live_until")
    }
    return {**version.model_dump(mode="json", exclude={"text"}), **times}


def checked_figures(found: "CheckedPolicy") -> dict[str, Any]:
    """A checked policy as JSON documents show it; warnings in both languages."""
    return {
        "ok": True,
        "version": found.policy.version,
        "warnings": [
            {"at": one.at, "kind": one.key, "zh": one.text("zh"), "en": one.text("en")}
            for one in found.warnings
        ],
        "sentences": [one._asdict() for one in found.sentences],
    }


def difference_rows(found: "list[PolicyDifference]") -> list[dict[str, Any]]:
    """Differences as JSON documents show them."""
    return [one._asdict() for one in found]


def _text(app: "App", which: str) -> tuple[str, str]:
    """The text of a file or a version (empty: the live one), and what errors call it."""
    if not which or which.isdigit():
        version = app.policy_book.version(int(which)) if which else app.policy_book.live_version()
        return version.text, f"policy version {version.number}"
    path: Path = typed_path(which)
    try:
        return path.read_text(encoding="utf-8"), path.name
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text") from error


def named_policy(app: "App", which: str) -> "Policy":
    """The policy of a file or a version (empty: the live one)."""
    from retention.policy import parse_policy

    return parse_policy(*_text(app, which))


def _language(name: str, app: "App") -> Any:
    if name and name not in ("zh", "en"):
        raise ToolInputError(f"no language {name!r}; there are: zh, en")
    return name or app.settings.language


def _shown(value: Any) -> str:
    return "—" if value is None else str(value)


def _tell(version: "PolicyVersion", app: "App", as_json: bool) -> None:
    if as_json:
        print_json(version_figures(version, app))
        return
    out().print(f"policy version {version.number}: {version.state}")
