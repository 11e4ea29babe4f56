"""Compare as a Gradio interface: for people who know Gradio, for a Space, for a link to share.

Both sides answer at the same time; a vote is stored as from the page Compare.  The page does more:
blind votes, medians, tables, the queue.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from app.answers import Pictures, Rounds
from app.compare import bundled_examples
from app.main import free_port
from app.people import Person
from app.votes import Choice, Vote, store_vote
from workbench.blocks import PlayedRun, StepPlayer
from workbench.errors import WorkbenchError
from workbench.pipeline.ask import question_task
from workbench.pipeline.live import Live
from workbench.pipeline.live_events import Event, Finished, Side, TextPiece, Wrote
from workbench.store import Project

VISITOR = Person("visitor", "curator")
"""Whose votes those of the interface are."""

CHOICES: dict[str, Choice] = {
    "Pipeline was better": "pipeline",
    "Student was better": "student",
    "Tie": "tie",
    "Both wrong": "neither",
}

HEAD = """# Programs against one pass
The left side writes a program, runs it with vision tools and shows each step. The right side is a
small vision-language model that answers at once."""

Inquiry = tuple[str, str, str]
"""A question under way: its run, the picture's digest, the words."""


class Interface:
    """What the interface does, on one open project.

    Args:
        project: open; the caller closes it.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self.pictures = Pictures(project)
        self.rounds = Rounds()
        self.live = Live(project.profile(), self.pictures)

    def begin(self, image: str | None, question: str) -> Inquiry:
        """Take the picture and the words; both sides then answer them."""
        if not image:
            raise gr.Error("Choose a picture first.", print_exception=False)
        try:
            digest, change = self.pictures.take(Path(image).read_bytes())
            question_task(digest, question)
        except WorkbenchError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if change:
            gr.Info(f"The picture was {change}.")
        return uuid.uuid4().hex, digest, question

    def by_program(self, inquiry: Inquiry) -> Iterator[tuple[str, str, PlayedRun | None]]:
        """The pipeline's answer, its program, and the run once it is there."""
        source = ""
        for event in self._events("pipeline", inquiry):
            if isinstance(event, TextPiece):
                source += event.text
                yield "writes a program…", source, None
            elif isinstance(event, Wrote):
                source = event.program.source
                yield "runs it…", source, None
            elif isinstance(event, Finished):
                run = None
                if event.program is not None and event.trace is not None:
                    picture = self.pictures.open(inquiry[1])
                    run = PlayedRun(event.program, event.trace, picture)
                yield _words(event), source, run

    def by_student(self, inquiry: Inquiry) -> Iterator[tuple[str, str]]:
        """The student's answer and its rationale, as they are written."""
        texts = {"answer": "", "rationale": ""}
        for event in self._events("student", inquiry):
            if isinstance(event, TextPiece) and event.part in texts:
                texts[event.part] += event.text
                yield texts["answer"], texts["rationale"]
            elif isinstance(event, Finished):
                yield _words(event), texts["rationale"]

    def vote(self, inquiry: Inquiry | None, choice: str, note: str) -> str:
        """Store a vote with the picture, the question and both answers; says so.

        Args:
            inquiry: the question, as `begin` gave it.
            choice: one of `CHOICES`.
            note: words of the voter.
        """
        if not inquiry:
            raise gr.Error("Ask something first, then vote.", print_exception=False)
        if choice not in CHOICES:
            raise gr.Error("Say first which was better.", print_exception=False)
        words = Vote(uuid.uuid4().hex, inquiry[0], CHOICES[choice], note=note or "")
        try:
            one = self.rounds.of(inquiry[0])
            if len(one.sides) < 2:
                raise gr.Error("Wait until both have answered.", print_exception=False)
            stored = store_vote(self.project, self.pictures, one, VISITOR, words)
        except WorkbenchError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return f"Vote stored, with question `{stored.task}`."

    def _events(self, side: Side, inquiry: Inquiry) -> Iterator[Event]:
        run, digest, question = inquiry
        one, cancelled = self.rounds.begin(run, question_task(digest, question), side)
        for event in self.live.answer(side, one.task, cancelled):
            if isinstance(event, Finished):
                one.sides[side] = event
            yield event


def _words(event: Finished) -> str:
    """An answer, or why there is none."""
    if event.failure is not None:
        return f"no answer: {event.failure.message}"
    return event.answer if event.answer is not None else "no answer"


def compare_blocks(project: Project) -> Any:
    """The interface as Gradio's Blocks, to be launched, or mounted in another app.

    Args:
        project: open while the interface is used; the caller closes it.
    """
    interface = Interface(project)
    with gr.Blocks(title="Programs against one pass", analytics_enabled=False) as blocks:
        gr.Markdown(HEAD)
        inquiry = gr.State(None)
        with gr.Row():
            image = gr.Image(
                type="filepath",
                sources=["upload", "webcam", "clipboard"],
                label="Picture",
                height=300,
            )
            with gr.Column():
                question = gr.Textbox(label="Question", max_length=1000)
                ask = gr.Button("Ask", variant="primary")
                gr.Examples(
                    [
                        [str(source.image_path(task)), task.question]
                        for source, task in bundled_examples()
                    ],
                    [image, question],
                    examples_per_page=4,
                )
        with gr.Row():
            by_program = gr.Textbox(label="Program pipeline", interactive=False)
            name = interface.live.names["student"]
            by_student = gr.Textbox(label=f"{name.title}: {name.model}", interactive=False)
        rationale = gr.Textbox(label="The student's rationale", interactive=False, lines=2)
        player = StepPlayer()
        with gr.Accordion("The program's text", open=False):
            program = gr.Code(language="python", label="Program", interactive=False)
        with gr.Row():
            choice = gr.Radio(list(CHOICES), label="Which was better?")
            note = gr.Textbox(label="A note with the vote", max_length=2000)
            vote = gr.Button("Vote")
        receipt = gr.Markdown()
        begun = gr.on(
            [ask.click, question.submit],
            interface.begin,
            [image, question],
            inquiry,
            api_name=False,
        )
        begun.success(interface.by_program, inquiry, [by_program, program, player], api_name=False)
        begun.success(interface.by_student, inquiry, [by_student, rationale], api_name=False)
        vote.click(interface.vote, [inquiry, choice, note], receipt, api_name=False)
    blocks.queue(default_concurrency_limit=4)
    return blocks


def serve(project: Project, port: int, share: bool, open_browser: bool) -> None:
    """Serve the interface on this machine until Ctrl-C.

    Args:
        project: open; the caller closes it.
        port: the first one tried; 0 takes any.
        share: whether Gradio makes a public link to it.
        open_browser: whether to open the page.

    Raises:
        InputError: no port is free.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    blocks = compare_blocks(project)
    _, url, public = blocks.launch(
        server_port=free_port("127.0.0.1", port),
        share=share,
        inbrowser=open_browser,
        quiet=True,
        prevent_thread_lock=True,
        footer_links=[],
    )
    for address in filter(None, (url, public)):
        print(f"{address}  (Ctrl-C ends it)", flush=True)
    blocks.block_thread()
