"""Workers: processes on this machine, or an array of jobs of Slurm."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from workbench import processes
from workbench.errors import EngineError, InputError
from workbench.pipeline.units.plan import WorkFolder, write_whole

MODULE = "workbench.pipeline.units.worker"
MOST_ATTEMPTS = 3
"""Times that a unit may end its worker before it is given up."""
MOST_WORKERS = 1000
LOOK_SECONDS = 0.1
"""Seconds between two looks at the workers."""
STOP_SECONDS = 30.0
"""Seconds in which a worker that is asked to stop may keep what was paid for."""


@dataclass(slots=True)
class _WorkerProcess:
    """A worker under way."""

    process: subprocess.Popen[bytes]
    keys: list[str]
    """Units on its list."""
    slot: int
    """Its number among the workers, which its successor has too."""
    listing: Path
    """File of its list."""


@dataclass(slots=True)
class LocalWorkers:
    """Workers on this machine, over units of one project.

    A worker that dies is replaced, and its units are begun again; a unit in which workers died
    three times is given up.

    Args:
        folder: has the units.
        number: of workers.
        module: what a worker runs, with the path of its list.
        options: more words for it.
    """

    folder: WorkFolder
    number: int
    module: str = MODULE
    options: Sequence[str] = ()
    problems: dict[str, str] = field(default_factory=dict)
    """Units that were given up, with the reasons."""
    _running: list[_WorkerProcess] = field(default_factory=list)
    _attempts: dict[str, int] = field(default_factory=dict)
    _begun: int = 0
    _barren: int = 0
    """Workers in a row that ended before they were done with any unit."""

    def run(self, keys: Sequence[str], look: Callable[[], None]) -> None:
        """Do units, and return when each is done or given up.

        Args:
            keys: of the units.
            look: called again and again meanwhile; it may take shards in.
        """
        waiting = [list(keys[at :: self.number]) for at in range(self.number)]
        try:
            for slot, share in enumerate(waiting):
                self._begin(share, slot)
            while self._running:
                with suppress(subprocess.TimeoutExpired):
                    self._running[0].process.wait(LOOK_SECONDS)
                look()
                for worker in [one for one in self._running if one.process.poll() is not None]:
                    self._running.remove(worker)
                    worker.listing.unlink(missing_ok=True)
                    self._begin(self._left(worker), worker.slot)
            look()
        finally:
            self._stop()

    def _begin(self, keys: list[str], slot: int) -> None:
        if not keys:
            return
        self._begun += 1
        paths = [self.folder.unit(key) for key in keys]
        listing = write_list(self.folder, f"{os.getpid()}-{self._begun}", paths)
        self.folder.logs.mkdir(parents=True, exist_ok=True)
        log = self.folder.logs / f"worker-{os.getpid()}-{self._begun}.txt"
        command = [sys.executable, "-m", self.module, str(listing), *self.options]
        variables = processes.share(slot, self.number)
        process = processes.begin(command, log, variables)
        self._running.append(_WorkerProcess(process, keys, slot, listing))

    def _left(self, worker: _WorkerProcess) -> list[str]:
        """Units that a worker which has ended did not come to an end with."""
        left = []
        for key in worker.keys:
            failure = self.folder.failure(key)
            if failure.is_file():
                self.problems[key] = failure.read_text(encoding="utf-8", errors="replace")
            elif self.folder.unit(key).is_file() and not self.folder.shard(key).is_file():
                left.append(key)
        self._barren = self._barren + 1 if left == worker.keys else 0
        if left:
            self._count_death(left, worker.process.returncode)
        return left

    def _count_death(self, left: list[str], code: int | None) -> None:
        """Give up what ended too many workers.

        Args:
            left: units that a worker left; those that are given up are taken out.
            code: exit code of the worker.
        """
        first = left[0]  # units are done in the order of the list, so that this one ended it
        self._attempts[first] = self._attempts.get(first, 0) + 1
        hopeless = self._barren >= MOST_ATTEMPTS * (self.number + 1)
        if not hopeless and self._attempts[first] < MOST_ATTEMPTS:
            return
        words = (
            f"workers end at once, with code {code}"
            if hopeless
            else f"its worker ended {MOST_ATTEMPTS} times while it did it, at last with code {code}"
        )
        for key in list(left) if hopeless else [first]:
            self.problems[key] = f"{words}; {self.folder.logs} has what it printed"
            left.remove(key)

    def _stop(self) -> None:
        """Ask the workers to keep what was paid for and to end; end those that do not."""
        for worker in self._running:
            worker.process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for worker in self._running:
            try:
                worker.process.wait(max(until - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.listing.unlink(missing_ok=True)
        self._running.clear()


def write_list(folder: WorkFolder, name: str, paths: Sequence[Path]) -> Path:
    """Write a list of units for a worker; returns its path.

    Args:
        folder: of the work.
        name: of the list.
        paths: files of the units.
    """
    path = folder.root / "lists" / f"{name}.txt"
    write_whole(path, "".join(f"{one.absolute()}\n" for one in paths).encode())
    return path


_SCRIPT = """#!/bin/sh
#SBATCH --job-name=vpd
#SBATCH --output={logs}/slurm-%A_%a.txt
exec {python} -m {module} {lists}/slurm-"$SLURM_ARRAY_TASK_ID".txt \\
    {caches}/slurm-"$SLURM_ARRAY_TASK_ID".sqlite
"""


def submit(folder: WorkFolder, keys: Sequence[str], number: int, command: str) -> str:
    """Submit an array of jobs, each of which does a share of the units; returns its name.

    Each job has its own file of tool results, as many jobs must not write one file over a network.

    Args:
        folder: has the units; all nodes must see it under the same path.
        keys: of the units.
        number: of jobs at most.
        command: `sbatch` with options of one's own.

    Raises:
        InputError: the command is empty or absent.
        EngineError: it did not take the array.
    """
    words = shlex.split(command)
    if not words:
        raise InputError("the command that submits is empty; give --sbatch 'sbatch -p gpu'")
    number = min(number, len(keys))
    for at in range(number):
        share = [folder.unit(key) for key in keys[at::number]]
        write_list(folder, f"slurm-{at}", share)
    root = folder.root.absolute()
    folder.logs.mkdir(parents=True, exist_ok=True)
    script = _SCRIPT.format(
        logs=shlex.quote(str(root / "logs")),
        python=shlex.quote(sys.executable),
        module=MODULE,
        lists=shlex.quote(str(root / "lists")),
        caches=shlex.quote(str(root / "cache")),
    )
    path = root / "array.sh"
    write_whole(path, script.encode())
    path.chmod(0o755)
    (root / "cache").mkdir(exist_ok=True)
    call = [*words, "--parsable", f"--array=0-{number - 1}", str(path)]
    try:
        ended = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as error:
        raise InputError(
            f"'{words[0]}' cannot be run ({error.strerror}); run this where Slurm is, or give the "
            "command that submits with --sbatch"
        ) from error
    if ended.returncode != 0:
        reason = " ".join((ended.stderr or ended.stdout).split())[:300]
        raise EngineError(
            f"'{shlex.join(call)}' ended with code {ended.returncode}: {reason}; the units stand "
            f"in {folder.units}, mend the command and run again"
        )
    last = ended.stdout.strip().splitlines()[-1:] or ["?"]
    return re.sub(r"[^\w.;-]", "", last[0])[:40] or "?"
