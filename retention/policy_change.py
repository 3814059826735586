"""Whether a change of the policy may go live: not where it makes more work than people can take on."""

from retention.replay_report import OwnerWeek, ReplayReport, Side


def refusals_of(report: ReplayReport) -> tuple[str, ...]:
    """Each owner and week in which a change exceeds capacity, and more so than what is live; worst first."""
    before = {(one.owner, one.week): one.over for one in report.before.load}
    return tuple(
        _told(one) for one in _worst_first(report.after) if one.over > before.get((one.owner, one.week), 0)
    )


def _worst_first(side: Side) -> list[OwnerWeek]:
    return sorted((one for one in side.load if one.over), key=lambda one: (-one.over, one.week, one.owner))


def _told(one: OwnerWeek) -> str:
    caps = [
        f"{cap} {name}"
        for cap, name in ((one.cap_week, "a week"), (one.cap_open, "open at once"))
        if cap is not None
    ]
    return (
        f"{one.owner}, week of {one.week.isoformat()}: {one.given} tasks given, {one.open} open at once, "
        f"{one.waiting} waiting; takes on {' and '.join(caps) or 'any number'}"
    )
