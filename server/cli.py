"""The command line. Heavy parts are imported by the commands that use them: `--help` must answer at once."""

import io
import sys

import typer

from server import (
    cli_agent,
    cli_alerts,
    cli_conversations,
    cli_crm,
    cli_data,
    cli_insights,
    cli_jobs,
    cli_label,
    cli_mcp,
    cli_memory,
    cli_messages,
    cli_plans,
    cli_policy,
    cli_pool,
    cli_replay,
    cli_retention,
    cli_serve,
    cli_surveys,
    cli_taxonomy,
    cli_unmask,
    cli_upkeep,
)

app = typer.Typer(
    name="voiceloop",
    help="客户之声：反馈进来，洞察和行动出去。 Voice of the customer: feedback in, insight and action out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

cli_data.register(app)
cli_agent.register(app)
cli_insights.register(app)
cli_jobs.register(app)
cli_label.register(app)
cli_taxonomy.register(app)
cli_conversations.register(app)
cli_memory.register(app)
cli_messages.register(app)
cli_retention.register(app)
cli_alerts.register(app)
cli_plans.register(app)
cli_policy.register(app)
cli_replay.register()
cli_pool.register(app)
cli_surveys.register(app)
cli_crm.register(app)
cli_unmask.register(app)
cli_upkeep.register(app)
cli_serve.register(app)
cli_mcp.register(app)


def main() -> None:
    """Entry point of the `voiceloop` command."""
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a character must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
