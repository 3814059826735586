"""How long a command takes from a cold start, against Python doing nothing."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from evals.bench_figures import Figure, figure
from evals.bench_rows import ZONE, fill

HELP_GOAL_S = 0.5
ASK_GOAL_S = 5.0
_CHECKOUT = Path(__file__).resolve().parents[1]
_COMMAND = [sys.executable, "-m", "server.cli"]


def measure_start(folder: Path, items: int, repeats: int) -> list[Figure]:
    """Time `voiceloop --help` and `voiceloop ask` on a home of `items` rows, each in a new process."""
    home = folder / "home"
    fill(home, items)
    bare = ("python -c pass", _wall([sys.executable, "-c", "pass"], folder, home, repeats))
    found = []
    for name, arguments, goal in (
        ("voiceloop --help", ["--help"], HELP_GOAL_S),
        ("voiceloop ask", ["ask", "上个月各省的NPS是多少？", "--json"], ASK_GOAL_S),
    ):
        seconds = _wall([*_COMMAND, *arguments], folder, home, repeats)
        found.append(
            figure(
                "start",
                name,
                seconds,
                "s",
                better="lower",
                peer=bare,
                goal=goal,
                goal_of="value",
                note=f"wall clock, median of {repeats}",
            )
        )
    return found


def _wall(command: list[str], folder: Path, home: Path, repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        started = perf_counter()
        # An environment of its own: the person's settings must not lead to their data or their model.
        done = subprocess.run(
            command,
            cwd=folder,
            env={"PYTHONPATH": str(_CHECKOUT), "VOICELOOP_HOME": str(home), "VOICELOOP_TIMEZONE": ZONE},
            capture_output=True,
            check=False,
        )
        taken.append(perf_counter() - started)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.decode(errors='replace')[-500:]}")
    return median(taken)
