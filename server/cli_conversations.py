"""Commands over whole conversations: `conversations list`, `show`, `label`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from server.console import JsonFlag, application, command, out, print_json
from server.terminal import typed_path

if TYPE_CHECKING:
    from store.records import ConversationLabels, LabelledFeedback

conversations = typer.Typer(help="whole conversations: mood, break, resolution, effort", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(conversations, name="conversations")


@conversations.command("list")
def list_conversations(
    limit: int = typer.Option(20, "--limit", min=1, max=500, help="how many, those with most turns first"),
    unresolved: bool = typer.Option(False, "--unresolved", help="only those that did not end resolved"),
    broken: bool = typer.Option(False, "--broken", help="only those in which negative emotion broke out"),
    as_json: bool = JsonFlag,
) -> None:
    """Label stored conversations and list them, the most turns first."""
    with command(as_json), application() as app:
        from pipeline.conversations import label_conversation, stored_conversations
        from store.facts import Aggregate

        groups = app.facts.aggregate(Aggregate("volume", group_by=("conversation_id",), limit=limit + 1))
        ids = [group.key[0] for group in groups if group.key[0] is not None][:limit]
        found = [
            label_conversation(turns, one) for one, turns in stored_conversations(app.facts, ids).items()
        ]
        if unresolved:
            found = [one for one in found if one.resolution != "resolved"]
        if broken:
            found = [one for one in found if one.break_turn is not None]
        if as_json:
            print_json({"conversations": found})
        else:
            _table(found)


@conversations.command()
def show(
    conversation_id: str = typer.Argument(..., help="as `conversations list` gives it"),
    as_json: bool = JsonFlag,
) -> None:
    """One stored conversation, turn by turn, with its labels."""
    with command(as_json), application() as app:
        from pipeline.conversations import label_conversation, stored_conversations

        turns = stored_conversations(app.facts, [conversation_id])[conversation_id]
        labels = label_conversation(turns, conversation_id)
        if as_json:
            print_json(_document(labels, turns))
        else:
            _table([labels])
            _curve(labels, turns)


@conversations.command()
def label(
    file: Path = typer.Argument(
        ..., parser=typed_path, help="a table with conversations, or a transcript (VTT, SRT, JSON)"
    ),
    conversation: str = typer.Option("", "--conversation", help="only this one"),
    as_json: bool = JsonFlag,
) -> None:
    """Label the conversations of a file without storing anything (personal data is masked first)."""
    with command(as_json), application() as app:
        from pipeline.conversation_files import read_conversations
        from pipeline.conversations import label_conversation
        from pipeline.mask import mask_texts
        from store.errors import InputError

        found = read_conversations(
            file, app.classifier, mask_texts, zone=app.settings.zone, now=app.clock.now()
        )
        if conversation:
            if conversation not in found:
                raise InputError(f"{file}: there is no conversation {conversation!r}")
            found = {conversation: found[conversation]}
        labels = {one: label_conversation(turns, one) for one, turns in found.items()}
        if as_json:
            print_json({"conversations": [_document(labels[one], turns) for one, turns in found.items()]})
        else:
            _table(list(labels.values()))
            for one, turns in found.items():
                _curve(labels[one], turns)


def _document(labels: "ConversationLabels", turns: "Sequence[LabelledFeedback]") -> Mapping[str, Any]:
    from pipeline.conversation_turns import conversation_turns

    shown = [
        {
            "feedback_id": turn.feedback_id,
            "speaker": "customer" if turn.customer else "agent",
            "text": turn.text,
            "sentiment": turn.labels.sentiment.value if turn.labels else None,
            "start": turn.start,
            "end": turn.end,
        }
        for turn in conversation_turns(turns)
    ]
    return {**labels.model_dump(mode="json"), "said": shown}


def _table(found: "Sequence[ConversationLabels]") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        "会话 conversation",
        "轮次 turns",
        "爆发点 break",
        "最低 lowest",
        "结尾 end",
        "结果 resolution",
        "费力度 effort",
        header_style="bold",
    )
    for one in found:
        table.add_row(
            escape(one.conversation_id),
            str(one.turns),
            "" if one.break_turn is None else f"{one.break_turn}{' ↗' if one.recovered else ''}",
            "" if one.lowest_level is None else f"{one.lowest_level:+g}",
            "" if one.end_level is None else f"{one.end_level:+g}",
            one.resolution,
            f"{one.effort.score:g}",
        )
    out().print(table)


def _curve(labels: "ConversationLabels", turns: "Sequence[LabelledFeedback]") -> None:
    from rich.markup import escape

    from pipeline.conversation_turns import conversation_turns

    console = out()
    for index, (turn, level) in enumerate(zip(conversation_turns(turns), labels.curve, strict=True)):
        who = "客户 customer" if turn.customer else "客服 agent"
        mark = " [red]◀ 爆发 break[/red]" if index == labels.break_turn else ""
        felt = "" if level is None else f"{level:+g}"
        console.print(f"{index:>3} {who:<12} {felt:>5}  {escape(turn.text)}{mark}")
