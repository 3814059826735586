"""Jobs that find out what helped: plans whose window is over are verified, customers are asked."""

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


def ask_surveys_job(args: object, work: JobWork) -> Mapping[str, Any]:
    """Ask customers after the occasions that the policy names; tie answers that came as feedback."""
    from retention.survey_answers import settle_answers

    app = work.app
    return {**vars(app.survey_asking.run()), "answered": settle_answers(app.facts, app.surveys)}
