"""`voiceloop unmask`: what pseudonyms stand for, for an administrator, on record."""

import typer

from server.console import JsonFlag, application, command, out, print_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(unmask)


def unmask(
    feedback_id: str = typer.Argument(..., help="the id of a stored piece of feedback"),
    reason: str = typer.Option(..., "--reason", help="why it has to be known; kept in the audit log"),
    as_json: bool = JsonFlag,
) -> None:
    """Show what the pseudonyms of one item stand for (role admin; every use is in the audit log)."""
    with command(as_json), application() as app:
        from agent.unmasking import unmask as reveal
        from tools.context import Asker

        values = reveal(app, feedback_id, reason=reason, asker=Asker())
        if as_json:
            print_json({"feedback_id": feedback_id, "values": values})
        else:
            for name, value in values.items():
                out().print(f"{name}  {value}", markup=False)
