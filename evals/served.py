"""A server of its own for a measurement: the process, its address, its memory; it ends with the block."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from evals.bench_rows import ZONE

_CHECKOUT: Final = Path(__file__).resolve().parents[1]
_END_S: Final = 60


class Served(NamedTuple):
    """A running server: where it answers, and its process."""

    url: str
    pid: int


@contextmanager
def serving(home: Path, settings: Mapping[str, str], *, killed: bool = False) -> Iterator[Served]:
    """`voiceloop serve` over a data folder with these settings and no others (names without VOICELOOP_).

    `killed`: at the end it is not waited for, because what is under way is no part of the measurement.
    """
    # An environment of its own: the person's settings must not lead to their data or their model.
    given = {"HOME": str(home), "TIMEZONE": ZONE, "WORKERS": "1", **settings}
    environment = {"PYTHONPATH": str(_CHECKOUT)}
    environment |= {f"VOICELOOP_{name}": value for name, value in given.items()}
    command = [sys.executable, "-m", "server.cli", "serve", "--port", "0", "--json"]
    log = home.parent / "server.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, cwd=home.parent, env=environment, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-800:]}")
            yield Served(json.loads(line)["url"], process.pid)
        finally:
            (process.kill if killed else process.terminate)()
            process.wait(_END_S)


def memory_mb(pid: int) -> int:
    """Resident memory of a process, by the kernel's count."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise RuntimeError(f"no memory is told of process {pid}")


def cpu_s(pid: int) -> float:
    """Seconds of processor time a process has taken, by the kernel's count."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
