"""What `voiceloop doctor` says of the server over the data folder."""

from pathlib import Path

from server.checkup_finding import Finding
from server.server_file import read_server_file


def look_at_server(home: Path) -> tuple[bool, list[Finding]]:
    """Whether a server answers, and what it says of its parts."""
    known = read_server_file(home)
    if known is None:
        return False, [Finding("server", True, "not running; `voiceloop serve` starts it")]
    import httpx

    try:
        response = httpx.get(f"{known.url}/readyz", timeout=10, trust_env=False)
        parts = response.json()["parts"]
    except httpx.ConnectError:
        detail = f"server.json names {known.url}, where nobody answers: the server was killed"
        return False, [Finding("server", True, f"{detail}; the next `voiceloop serve` replaces it")]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        mend = "look at its log; end that process if it hangs, and start `voiceloop serve` again"
        return True, [Finding("server", False, f"{known.url}: {type(error).__name__}", mend)]
    failing = [f"{part['name']} ({part['detail']})" for part in parts if part["required"] and not part["ok"]]
    if failing:
        mend = "end the server and run `voiceloop doctor` again: it then looks at these itself"
        return True, [Finding("server", False, f"{known.url} is not ready: {', '.join(failing)}", mend)]
    answer = ", ".join(part["name"] for part in parts if part["ok"])
    return True, [Finding("server", True, f"{known.url} is ready: {answer}")]
