"""How a conversation with the service runs: who says what in which order."""

from collections.abc import Mapping

from evals.wording import Mood, Said, Wording

Line = tuple[str, Said]


def script(mood: Mood, wording: Wording, context: Mapping[str, str], opening: Said) -> list[Line]:
    """Lines as (speaker, what is said), the opening second; a bad mood escalates and may stay unsettled."""

    def agent(name: str) -> Line:
        text = wording.fill(wording.rng.choice(wording.data["conversation"][name]), context)
        return "agent", Said(text, "neutral", (), "agent")

    def customer(name: str, meant: Mood) -> Line:
        return "customer", Said(wording.line("conversation", name, context), meant, (), name)

    lines = [agent("agent_open"), ("customer", opening)]
    if mood == "neutral":
        lines += [agent("agent_info"), customer("thanks", "neutral")]
    else:
        lines += [agent("agent_ask"), customer("detail", "neutral")]
    if mood == "negative":
        lines += [agent("agent_stall"), customer("escalate", "negative")]
        if wording.rng.random() < 0.67:
            lines += [agent("agent_fix"), customer("settle", "neutral")]
    elif mood == "positive":
        lines += [agent("agent_fix"), customer("settle", "positive")]
    return lines
