"""`voiceloop mcp`: the MCP server over standard input and output."""

import typer

from server.console import command, settings_now


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(mcp)


def mcp(
    language: str = typer.Option("", "--language", help="zh or en; default: VOICELOOP_LANGUAGE"),
) -> None:
    """Serve one MCP client (Claude Desktop, Cursor ...) over standard input and output.

    Goes through the server that runs over the data folder, where there is one.
    """
    with command(False):
        from server.mcp_stdio import serve_stdio

        settings = settings_now()
        if language:
            from store.errors import ToolInputError

            if language not in ("zh", "en"):
                raise ToolInputError(f"--language: {language!r} is not known", hint="zh or en")
            settings = settings.model_copy(update={"language": language})
        serve_stdio(settings)
