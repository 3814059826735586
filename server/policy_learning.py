"""A lesson from verdicts put into the book of policies: by a person, or by the job that only proposes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from retention.lesson_figures import lesson_figures
from retention.lessons import require_text, same_section
from tools.context import Asker

if TYPE_CHECKING:
    from agent.wiring import App
    from store.policy_versions import PolicyVersion

# Who the versions that the job puts are by.
LEARNER: Final = "learning"


def put_lesson(
    app: "App", state: Literal["live", "shadow"], asker: Asker, *, forced: bool = False
) -> "tuple[PolicyVersion, Mapping[str, Any]]":
    """Put what verdicts teach now as a version, with its figures in the report.

    ToolInputError where the lesson is refused or known already, or the gate to live refuses it; Outdated
    where another version has become live meanwhile; NotPermitted for anybody but an admin of everything.
    """
    found = app.policy_lesson()
    figures = lesson_figures(found, app.settings.language)
    put = app.policy_desk.apply(
        require_text(found, figures["says"]),
        asker,
        why=figures["says"],
        state=state,
        forced=forced,
        made_from=found.policy.version,
        proof={"lesson": figures},
    )
    return put, figures


def propose_lesson(app: "App") -> Mapping[str, Any]:
    """Put a proven lesson in shadow mode, where a person sees what it would do before it decides.

    A policy that a person has put in shadow mode stays there.
    """
    shadow = app.policy_book.store.in_state("shadow")
    found = app.policy_lesson()
    figures = lesson_figures(found, app.settings.language)
    told = {name: figures[name] for name in ("verdicts", "accurate", "refused", "says")}
    known = shadow is not None and (
        shadow.made_by != LEARNER or found.text is None or same_section(shadow.text, found.text)
    )
    if known or found.text is None:
        return {**told, "proposed": None, "kept": None if shadow is None else shadow.number}
    put, _ = put_lesson(app, "shadow", Asker(LEARNER, "admin"))
    return {**told, "proposed": put.number, "kept": None}
