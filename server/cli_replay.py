"""Commands that try a policy on what was: `policy replay`, `policy shadow`."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from server.cli_policy import FILE_OR_NUMBER, named_policy, policy
from server.cli_retention import show_table
from server.console import JsonFlag, application, command, out, print_json
from store.errors import ToolInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from retention.replay_report import Change, ReplayReport, Share, Side

_SHOWN = 20


def register() -> None:
    """Add the commands to those of the policy."""
    policy.command("replay")(replay_policy)
    policy.command("shadow")(show_shadow)


def replay_policy(
    which: str = typer.Argument("", help=f"{FILE_OR_NUMBER}; else the live one"),
    first: str = typer.Option("", "--from", help="first day, e.g. 2026-10-01; default: `replay.days` ago"),
    end: str = typer.Option("", "--to", help="the day after the last; default: now"),
    every: int = typer.Option(
        0, "--every-hours", help="only the last scan of each so many hours; 0: every scan"
    ),
    as_json: bool = JsonFlag,
) -> None:
    """Do past scans again, as they were and by this policy: what appears, vanishes, changes tier; load."""
    with command(as_json), application() as app:
        zone = app.settings.zone
        report = app.time_machine.replay(
            named_policy(app, which),
            _day(first, zone),
            _day(end, zone),
            every=timedelta(hours=every) if every else None,
        )
        if as_json:
            print_json(report.model_dump(mode="json"))
            return
        _show(report, zone)


def show_shadow(as_json: bool = JsonFlag) -> None:
    """Tell what the policy in shadow mode would have done since it began, beside what was done."""
    with command(as_json), application() as app:
        app.shadow_watch.follow()
        report = app.shadow_watch.report()
        if report is None:
            raise ToolInputError(
                "no policy is in shadow mode", hint="`voiceloop policy apply FILE --shadow` puts one there"
            )
        if as_json:
            print_json(report.model_dump(mode="json"))
            return
        zone = app.settings.zone
        out().print(
            f"policy version {report.policy_version} in shadow mode since {_time(report.since, zone)}: "
            f"{report.scans} scans, {sum(report.live.values())} alerts live, "
            f"{sum(report.shadow.values())} in shadow, {report.same} the same"
        )
        _show_changes(report.appear, report.vanish, report.tier_changes, zone)


def _show(report: "ReplayReport", zone: ZoneInfo) -> None:
    span = f"{_time(report.since, zone)} to {_time(report.until, zone)}"
    daily = f", {report.daily} days without a record by what had occurred" if report.daily else ""
    out().print(f"{span}: {report.recorded} recorded scans done again{daily}")
    if report.faithful is not None:
        differ = "the same alerts" if report.faithful else f"{len(report.unfaithful)} alerts differ"
        out().print(f"the live scans done again: {differ}")
    if report.forgotten:
        out().print(f"no longer stored, so unseen: {report.forgotten} pieces of evidence of live alerts")
    sides = (report.before, report.after)
    rows = [("alerts", *(str(side.alerts) for side in sides))]
    rows += [(tier, *(str(side.by_tier[tier]) for side in sides)) for tier in report.before.by_tier]
    for name, title in (
        ("precision", "accurate, of those judged"),
        ("kept_accurate", "raised, of those judged accurate"),
        ("kept_false", "raised, of the false alarms"),
        ("left_after", "left afterwards, of old enough alerts"),
        ("warned", "warned of, among who left"),
        ("warned_early", "warned of early, among who left"),
    ):
        rows.append((title, *(_share(getattr(side, name)) for side in sides)))
    rows.append(("tasks above capacity", *(str(side.over) for side in sides)))
    show_table(
        ("", f"version {report.before.policy_version}", f"version {report.after.policy_version}"), rows
    )
    _show_load(report.after)
    _show_changes(report.appear, report.vanish, report.tier_changes, zone)
    for refusal in report.refusals[:_SHOWN]:
        out().print(f"⚠ above capacity: {refusal}", markup=False, highlight=False)


def _show_load(side: "Side") -> None:
    names = ("owner", "week", "given", "open", "waiting", "takes on", "too many")
    rows = [
        (
            one.owner,
            one.week.isoformat(),
            str(one.given),
            str(one.open),
            str(one.waiting),
            f"{one.cap_week or '-'} a week, {one.cap_open or '-'} open",
            str(one.over or ""),
        )
        for one in side.load
        if one.cap_week or one.cap_open
    ]
    if rows:
        show_table(names, rows)


def _show_changes(
    appear: "Sequence[Change]", vanish: "Sequence[Change]", moved: "Sequence[Change]", zone: ZoneInfo
) -> None:
    for title, found in (("appear", appear), ("vanish", vanish), ("change tier", moved)):
        out().print(f"{title}: {len(found)}")
        for one in found[:_SHOWN]:
            tiers = " → ".join(tier.value if tier else "-" for tier in (one.before, one.after))
            told = (_time(one.at, zone), one.alert_id, one.customer_id, tiers, ", ".join(one.causes))
            out().print("  " + "  ".join(told), markup=False, highlight=False, soft_wrap=True)


def _share(share: "Share") -> str:
    if share.value is None or share.ci_low is None or share.ci_high is None:
        return f"{share.hits} of {share.n}"
    return f"{share.value:.0%} ({share.ci_low:.0%}-{share.ci_high:.0%}), {share.hits} of {share.n}"


def _time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _day(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ToolInputError(f"{text!r} is no date", hint="write 2026-10-01 or 2026-10-01T08:00") from error
    return found.replace(tzinfo=zone) if found.tzinfo is None else found
