"""Opening pseudonyms: only an administrator may, and never without a trace."""

from agent.wiring import App
from store.errors import NotPermitted, ToolInputError
from store.facts import Find
from store.records import AuditEntry
from tools.context import Asker


def unmask(app: App, feedback_id: str, *, reason: str, asker: Asker) -> dict[str, str]:
    """Return what each placeholder of an item stands for, once that is written to the audit log.

    Raises NotPermitted for any role but admin, ToolInputError for an unknown item, an empty reason, or
    pseudonyms that cannot be reversed, and StoreError where the key is not the right one.
    """
    if asker.role != "admin":
        raise NotPermitted(f"unmask: role {asker.role!r} is not permitted; it needs 'admin'")
    if not reason.strip():
        raise ToolInputError("unmask: say why, for the audit log")
    stored = app.facts.find(Find(feedback_ids=(feedback_id,), limit=1))
    if not stored:
        raise ToolInputError(f"no feedback {feedback_id!r}")
    if app.pseudonyms is None:
        raise ToolInputError("pseudonyms are not reversible here: VOICELOOP_PSEUDONYMS is off")
    values = app.pseudonyms.revealed(stored[0].feedback)
    app.operations.audit(
        AuditEntry(
            occurred_at=app.clock.now(),
            actor=asker.user,
            action="unmask",
            subject=feedback_id,
            detail={"reason": reason.strip()[:500], "placeholders": " ".join(sorted(values))},
        )
    )
    return values
