"""Units on a Ray cluster: one actor for each worker, which keeps its models from unit to unit.

`python -m workbench.pipeline.units.ray_engine LIST WORKERS ADDRESS GPUS` does the units of a list.
It is a process of its own, apart from the owner of the store, since Ray ends the processes that are
joined to a cluster whose head dies.  The owner then starts it again, and what stands in shards is
not done a second time.

An actor that dies is replaced and its unit begun again, as a worker's on one machine.  All nodes
must see the project under the same path.
"""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import EngineError, MissingPart
from workbench.pipeline.units.launch import MOST_ATTEMPTS
from workbench.pipeline.units.plan import WorkFolder, write_whole
from workbench.pipeline.units.worker import UnitRunner
from workbench.records import storable

MODULE = "workbench.pipeline.units.ray_engine"
HERE = "local"
"""The address that starts a cluster of its own on this machine."""
JOIN_SECONDS = 60.0
"""Seconds in which a cluster may come back before the work is given up."""
KNOCK_SECONDS = 5.0
"""Seconds in which its head has to take a connection."""
WAIT_SECONDS = 1.0
"""Seconds between two looks at the actors."""


def ray_package() -> Any:
    """Ray, which is an extra.

    Raises:
        MissingPart: it is absent.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it reports to its makers otherwise
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "180")  # a busy machine needs longer
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise MissingPart(
            "units on Ray need a package that is absent: pip install 'ray[default]'"
        ) from error


class _Actor:
    """Does units in a process of the cluster.

    Args:
        cache: file of tool results; the project's own where None.
        share: variables of its environment.
    """

    def __init__(self, cache: str | None, share: dict[str, str]) -> None:
        os.environ.update(share)
        self._runner = UnitRunner(Path(cache) if cache else None, print)

    def do(self, path: str) -> bool:
        """Do a unit; tells whether it came to an end, as `UnitRunner.do`."""
        return self._runner.do(Path(path))


@dataclass(slots=True)
class RayWorkers:
    """Actors over the units of one list.

    Args:
        ray: the package, joined to a cluster.
        number: of actors.
        gpus: share of a GPU that each of them takes.
        caches: folder in which each has its own file of tool results; None where all share the
            project's.
    """

    ray: Any
    number: int
    gpus: float
    caches: Path | None
    _running: dict[Any, tuple[int, Path]] = field(default_factory=dict)
    """The slot and the unit of each task under way."""
    _actors: dict[int, Any] = field(default_factory=dict)
    _attempts: dict[Path, int] = field(default_factory=dict)

    def run(self, paths: Sequence[Path]) -> int:
        """Do units; returns how many failed, which say why in files."""
        waiting = deque(paths)
        failed = 0
        while waiting or self._running:
            busy = {slot for slot, _ in self._running.values()}
            for slot in [slot for slot in range(self.number) if slot not in busy]:
                # a unit that is gone was taken in since the list was written: another worker did it
                while waiting and not waiting[0].is_file():
                    waiting.popleft()
                if waiting:
                    self._begin(slot, waiting.popleft())
            if not self._running:
                break
            ready, _ = self.ray.wait(list(self._running), num_returns=1, timeout=WAIT_SECONDS)
            for task in ready:
                slot, path = self._running.pop(task)
                try:
                    failed += not self.ray.get(task)
                except self.ray.exceptions.RayActorError as error:
                    del self._actors[slot]
                    if self._gives_up(path, str(error)):
                        failed += 1
                    else:
                        waiting.append(path)
        return failed

    def _begin(self, slot: int, path: Path) -> None:
        if slot not in self._actors:
            cache = str(self.caches / f"ray-{slot}.sqlite") if self.caches else None
            remote = self.ray.remote(num_cpus=1, num_gpus=self.gpus, max_restarts=0)(_Actor)
            self._actors[slot] = remote.remote(cache, {"OMP_NUM_THREADS": "1"})
        self._running[self._actors[slot].do.remote(str(path))] = (slot, path)

    def _gives_up(self, path: Path, reason: str) -> bool:
        """Whether a unit has ended too many actors, which then stands in its file."""
        self._attempts[path] = self._attempts.get(path, 0) + 1
        if self._attempts[path] < MOST_ATTEMPTS:
            return False
        folder = WorkFolder(path.absolute().parent.parent)
        words = f"its actor ended {MOST_ATTEMPTS} times while it did it: {' '.join(reason.split())}"
        write_whole(folder.failure(path.stem), storable(words[:2000]).encode())
        return True


def join(ray: Any, address: str, number: int) -> None:
    """Join a cluster, or start one on this machine.

    Args:
        ray: the package.
        address: of the cluster's head, `auto` for that of this machine, or `local` for a new one.
        number: of actors; a new cluster has as many processors, whatever the machine has.

    Raises:
        EngineError: none starts here, or none answers there.
    """
    if address == HERE:
        try:
            ray.init(address=HERE, num_cpus=number, include_dashboard=False)
        except Exception as error:  # Ray raises nothing narrower
            reason = " ".join(str(error).split())[:300]
            raise EngineError(f"Ray does not start on this machine: {reason}") from error
        return
    until = time.monotonic() + JOIN_SECONDS
    while True:
        try:
            _knock(address)
            ray.init(address=address)
        except (OSError, RuntimeError) as error:
            if time.monotonic() > until:
                raise EngineError(
                    f"no Ray cluster answers at '{address}': {' '.join(str(error).split())[:300]}; "
                    "start its head (ray start --head), or give --address local"
                ) from error
            time.sleep(WAIT_SECONDS)
        else:
            return


def _knock(address: str) -> None:
    """See whether anybody listens, since Ray tries for many minutes where nobody does.

    Raises:
        OSError: nobody does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), KNOCK_SECONDS).close()


def main(words: Sequence[str]) -> int:
    """Do the units of a list, a path in each line; the exit code is 1 where one failed.

    Args:
        words: path of the list, number of actors, address of the cluster, share of a GPU.
    """
    listing, number, address, gpus = words
    for name in (signal.SIGINT, signal.SIGTERM):
        # a shell's background process, and all that it starts, would not hear them
        signal.signal(name, signal.default_int_handler)
    ray = ray_package()
    paths = [Path(line) for line in Path(listing).read_text(encoding="utf-8").splitlines()]
    try:
        join(ray, address, int(number))
    except EngineError as error:
        print(error, flush=True)
        return 2
    caches = None
    if address != HERE and paths:
        caches = paths[0].absolute().parent.parent / "cache"
        caches.mkdir(exist_ok=True)
    workers = RayWorkers(ray, int(number), float(gpus), caches)
    try:
        return 1 if workers.run(paths) else 0
    finally:
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
