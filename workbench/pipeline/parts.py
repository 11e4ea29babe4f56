"""From a profile's names to parts that work, each built when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import registry
from workbench.errors import ToolFailure
from workbench.limits import Limits
from workbench.pipeline.remembering import ARGUMENT, divided, remember
from workbench.ports import (
    ConcurrentTool,
    Forgetful,
    Images,
    RationaleWriter,
    Sampler,
    Student,
    Tool,
    Verifier,
    Warmable,
)
from workbench.recipes.ports import ProgramCorrection
from workbench.records import PartRef, ToolCall, Value
from workbench.settings import Profile
from workbench.tools.lending import lend_eyes
from workbench.usage import Usage, total

ROLES = {
    "sample": "sampler",
    "execute": "executor",
    "verify": "verifier",
    "rationalize": "writer",
    "predict": "student",
}
"""The part that works in each stage of the loop."""

if TYPE_CHECKING:
    from workbench.execute import Executor


class Renamed:
    """A tool under the name that the profile gives it.

    Programs call the new name, and the tool is called by its own.

    Args:
        tool: any tool.
        name: the profile's name for it.
    """

    def __init__(self, tool: Tool, name: str) -> None:
        self._tool = tool
        self._own = tool.spec.name
        self.spec = replace(tool.spec, name=name)
        self.ref: PartRef = tool.ref
        self.batch_size = tool.batch_size
        self.concurrency = tool.concurrency if isinstance(tool, ConcurrentTool) else 1

    @property
    def usage(self) -> Usage:
        """What the tool's endpoint was asked."""
        return total([self._tool])

    def forget(self) -> None:
        """Let the tool forget its results, where it keeps some."""
        if isinstance(self._tool, Forgetful):
            self._tool.forget()

    def __call__(self, calls: Sequence[ToolCall], images: Images) -> Sequence[Value | ToolFailure]:
        return self._tool([replace(call, tool=self._own) for call in calls], images)


class Parts:
    """The parts of one profile.

    Args:
        profile: names and arguments.
        images: pictures of the tasks, by digest.
        cache: file of the tool results kept from run to run; None keeps none.
        corrections: what a memory of the profile's sampler may recall.
    """

    def __init__(
        self,
        profile: Profile,
        images: Images,
        cache: Path | None = None,
        corrections: Sequence[ProgramCorrection] = (),
    ) -> None:
        self.profile = profile
        self.images = images
        self._cache = cache
        self._corrections = corrections

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def build(self, stages: Sequence[str], warm: bool = True) -> None:
        """Build what some stages of the loop need.

        A part that can load its model ahead of its first call does so now (see `ports.Warmable`).

        Args:
            stages: of the loop.
            warm: False leaves such models to the first call.

        Raises:
            ProfileError: a wrong name or argument.
            MissingPart: a package is not installed.
        """
        for stage in stages:
            if stage in ROLES:
                part = getattr(self, ROLES[stage])
                if warm and isinstance(part, Warmable):
                    part.warm()

    def of_stage(self, stage: str) -> Sequence[object]:
        """The parts that work in a stage; those that are not built yet have done nothing."""
        present = self.__dict__
        if stage == "repair":  # what was written again is run at once
            return [*self.of_stage("sample"), *self.of_stage("execute")]
        if stage == "execute":
            return list(present.get("tools", ()))
        return [present[ROLES[stage]]] if ROLES.get(stage) in present else []

    def close(self) -> None:
        """End the sandbox processes, if any were started."""
        if "executor" in self.__dict__:
            self.__dict__.pop("executor").close()

    @cached_property
    def tools(self) -> list[Tool]:
        """Every tool of the profile, under the profile's names."""
        tools = []
        for name, choice in self.profile.tools.items():
            tool: Tool = lend_eyes(registry.build("tool", choice.part, **choice.arguments))
            tools.append(tool if tool.spec.name == name else Renamed(tool, name))
        return tools

    @cached_property
    def sampler(self) -> Sampler:
        choice = self.profile.sampler
        specs = [tool.spec for tool in self.tools]
        arguments, memory = divided(choice.arguments)
        sampler: Sampler = registry.build("sampler", choice.part, specs=specs, **arguments)
        if memory is not None:
            remember(sampler, memory, self._corrections)
        return sampler

    def forget(self) -> None:
        """Forget what tools said, so that the next program is timed in full."""
        self.executor.cache.clear()
        for tool in self.tools:
            if isinstance(tool, Forgetful):
                tool.forget()

    @property
    def memory_is_empty(self) -> bool:
        """Whether the sampler has a memory with nothing in it."""
        return ARGUMENT in self.profile.sampler.arguments and not self._corrections

    @cached_property
    def executor(self) -> Executor:
        # the sandbox takes a while to load, and most commands run no program
        from workbench.execute import Executor, ResultCache

        cache = ResultCache(self._cache) if self._cache is not None else None
        return Executor(self.tools, self.images, limits=Limits.of(self.profile.limits), cache=cache)

    @cached_property
    def verifier(self) -> Verifier:
        verifier: Verifier = registry.build(
            "verifier", self.profile.verifier.part, **self.profile.verifier.arguments
        )
        return verifier

    @cached_property
    def writer(self) -> RationaleWriter:
        writer: RationaleWriter = registry.build(
            "writer", self.profile.writer.part, **self.profile.writer.arguments
        )
        return writer

    @cached_property
    def student(self) -> Student:
        student: Student = registry.build(
            "student", self.profile.student.part, **self.profile.student.arguments
        )
        return student
