"""The job that verifies what is due to be verified: plans whose window is over."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from server.job_runner import JobWork
from tools.context import Asker


def verify_plans_job(args: object, work: JobWork) -> Mapping[str, Any]:
    """Judge the plans whose window is over; where one was missed, its cause is searched for anew."""
    from tools.plan_verification import verify_plans

    app = work.app
    asker = Asker(work.run.requested_by, "admin", work.run.scope)
    found = verify_plans(app.context(asker), language=app.settings.language)
    verified = [one.plan.review for one in found if one.state == "verified"]
    return {
        "plans": len(found),
        "by_state": dict(Counter(one.state for one in found)),
        "outcomes": dict(Counter(review.outcome for review in verified if review is not None)),
        "follow_ups": sum(1 for one in found if one.state == "verified" and one.follow_up is not None),
    }
