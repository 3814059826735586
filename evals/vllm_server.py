"""Real vLLM servers on loopback, in an environment of their own, for checks and measurements."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from store.errors import ModelUnavailable

START_S: Final = 400.0
INSTRUCT: Final = (
    "--enable-prefix-caching",
    "--structured-outputs-config",
    '{"backend":"xgrammar","disable_any_whitespace":true}',
)
POOLING: Final = ("--runner", "pooling")
_PLAIN: Final = ("--enforce-eager", "--dtype", "float32", "--max-num-seqs", "16")


@dataclass
class VllmServer:
    """One server process; it may be killed and started again at the same address."""

    python: Path
    model: Path
    log: Path
    arguments: Sequence[str]
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def base_url(self) -> str:
        """The address with /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def root(self) -> str:
        """The address without /v1."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the process without waiting for it to be ready."""
        self.port = self.port or _free_port()
        command = [*in_environment(self.python), "-m", "vllm.entrypoints.openai.api_server"]
        command += [
            "--model",
            str(self.model),
            "--served-model-name",
            self.model.name,
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        command += [*_PLAIN, *self.arguments]
        with self.log.open("ab") as log:
            # Its own group: the engine is a child process that must go with it.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)

    def wait(self) -> None:
        """Wait until it serves; ModelUnavailable where it ends or takes longer than START_S."""
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise ModelUnavailable(f"the vLLM server ended at its start; see {self.log}")
            try:
                if httpx.get(f"{self.root}/health", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.5)
        raise ModelUnavailable(f"the vLLM server was not ready after {START_S:g} s; see {self.log}")

    def kill(self) -> None:
        """End it and its engine at once, as a crash would."""
        if self._process is not None:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def metric(self, name: str) -> float:
        """The sum of a counter of /metrics over its labels."""
        lines = httpx.get(f"{self.root}/metrics", timeout=10, trust_env=False).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{"))


def in_environment(python: Path | str) -> list[str]:
    """The start of a command for vLLM on a CPU: small cache, no downloads, no reports, one thread."""
    ours = {
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "OMP_NUM_THREADS": "1",
    }
    return ["env", *(f"{name}={value}" for name, value in ours.items()), str(python)]


@contextmanager
def serving(python: Path, model: Path, log: Path, *arguments: str) -> Iterator[VllmServer]:
    """A server that is ready; killed at the end."""
    server = VllmServer(python, model, log, arguments)
    server.start()
    try:
        server.wait()
        yield server
    finally:
        server.kill()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
