"""The commands of the group Measure: evaluate to report, publish and bench."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.options import (
    PASSED_ON,
    AsJson,
    AsMarkdown,
    Limit,
    ProjectFolder,
    Settings,
    Split,
    go,
)

PANEL = "Measure"
commands = typer.Typer()

Benchmark = Annotated[
    str | None,
    typer.Option(help="Take only the questions of this source, for example gqa or collages."),
]
Timed = Annotated[
    int,
    typer.Option("--time", min=0, help="Number of questions to time one at a time (0: no timing)."),
]
STUDENTS = "distilled, small, bundled, a job, the folder of a job or checkpoint, or a hub id."


@commands.command(rich_help_panel=PANEL)
def evaluate(
    project: ProjectFolder = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A student: {STUDENTS} May be repeated. By default, the profile's student."
        ),
    ] = None,
    pipeline: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Evaluate the pipeline with K programs per question: pass@1, majority vote and "
            "pass@K.",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(help="Ask for a rationale first, and read the answer from its last sentence."),
    ] = False,
    benchmark: Benchmark = None,
    split: Split = None,
    limit: Limit = None,
    timed: Timed = 10,
    submit: Annotated[
        Path | None,
        typer.Option(help="Folder to write the answers to, in the benchmark's own format."),
    ] = None,
    normalise: Annotated[
        str,
        typer.Option(
            metavar="official|always",
            help="Normalise answers to VQAv2 and OK-VQA always, or as the official script does: "
            "only where the annotators disagree. Both figures are printed.",
        ),
    ] = "always",
    as_json: AsJson = False,
) -> None:
    """Score a student or the pipeline by the benchmark's own rules.

    Only new questions are asked. Ctrl-C stops the evaluation; the same command resumes it.
    """
    go(
        "evaluate",
        project=project,
        models=tuple(model or ()),
        pipeline=pipeline,
        explain=explain,
        benchmark=benchmark,
        split=split,
        limit=limit,
        timed=timed,
        submit=submit,
        as_json=as_json,
        normalise=normalise,
    )


@commands.command(rich_help_panel=PANEL)
def results(
    project: ProjectFolder = None,
    baseline: Annotated[
        str | None, typer.Option(help="The system that all others are compared with.")
    ] = None,
    benchmark: Benchmark = None,
    split: Split = None,
    by: Annotated[
        str,
        typer.Option(
            help="One row per system, or per objective (jobs that differ only in their seed)."
        ),
    ] = "system",
    as_json: AsJson = False,
    markdown: AsMarkdown = False,
) -> None:
    """Compare all evaluated systems on the same questions: accuracy, intervals, time and cost."""
    go(
        "results",
        project=project,
        baseline=baseline,
        benchmark=benchmark,
        split=split,
        by=by,
        as_json=as_json,
        markdown=markdown,
    )


@commands.command(rich_help_panel=PANEL)
def study(
    test: Annotated[
        Path | None, typer.Option(help="Folder of the project with the test questions.")
    ] = None,
    project: ProjectFolder = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            help="A plan in TOML: arms, settings, and what is tried; see docs/training.md."
        ),
    ] = None,
    snapshot: Annotated[
        str, typer.Option(help="Name or hash of a snapshot. By default, the newest snapshot.")
    ] = "",
    seeds: Annotated[
        int | None, typer.Option(help="Number of jobs for each arm. By default, 5.")
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(
            help="Number of jobs side by side; small students use several processors better so. "
            "By default, the plan's, or 1."
        ),
    ] = None,
    student: Annotated[
        str | None,
        typer.Option(
            help="The model to train: small, bundled, distilled, a folder of a checkpoint or a hub "
            "id. What the profile's student was taught from if left out."
        ),
    ] = None,
    settings: Settings = None,
    steps: Annotated[
        int | None, typer.Option(help="Number of training steps of each job, instead of epochs.")
    ] = None,
    equal_compute: Annotated[
        bool,
        typer.Option(
            "--equal-compute",
            help="Add an arm: instruct with as many more steps as take vpd's processor time.",
        ),
    ] = False,
    choose: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Try the plan's grid on the validation questions, write what was tried and chosen "
            "to this file, and stop; no test question is asked.",
        ),
    ] = None,
    val: Annotated[
        Path | None,
        typer.Option(
            help="Project with the validation questions. By default, that of the snapshot."
        ),
    ] = None,
    chosen: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take the settings that --choose wrote.")
    ] = None,
    labels: Annotated[
        str,
        typer.Option(
            metavar="N,N,...",
            help="Hide all labels but so many, and learn from what the programs say of the rest, "
            "taken by agreement, by checks, and by a critic.",
        ),
    ] = "",
    noise: Annotated[
        str,
        typer.Option(
            metavar="P,P,...",
            help="Learn from rationales of which so many percent are made wrong on purpose.",
        ),
    ] = "",
    recipes: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME,...",
            help="Compare published methods with vpd on the same rows: names, or the grades A, B "
            "and C; objectives, selectors and transforms (see vpd recipes).",
        ),
    ] = "",
    teacher: Annotated[
        str,
        typer.Option(
            help="With --recipes, who teaches where a method needs it: a job, a folder, a hub id, "
            "or a registered teacher."
        ),
    ] = "",
    k: Annotated[int, typer.Option("--k", help="Number of programs per question.")] = 5,
    benchmark: Benchmark = None,
    split: Split = None,
    limit: Limit = None,
    timed: Timed = 10,
    markdown: AsMarkdown = False,
    as_json: AsJson = False,
) -> None:
    """Measure what distillation buys: train with and without rationales, and test everybody.

    A snapshot teaches Instruct and VPD students over several seeds. The tables compare them with
    the base student and with the pipeline. A plan may name other arms. Ctrl-C stops the study but
    not its jobs; the same command resumes it.
    """
    go(
        "study",
        project=project,
        test=test,
        plan_file=plan,
        snapshot=snapshot,
        seeds=seeds,
        at_once=at_once,
        student=student,
        settings=tuple(settings or ()),
        steps=steps,
        equal_compute=equal_compute,
        choose_to=choose,
        val=val,
        chosen=chosen,
        labels=labels,
        noise=noise,
        recipes=recipes,
        teacher=teacher,
        k=k,
        benchmark=benchmark,
        split=split,
        limit=limit,
        timed=timed,
        markdown=markdown,
        as_json=as_json,
    )


@commands.command(rich_help_panel=PANEL)
def compare(
    project: ProjectFolder = None,
    counting: Annotated[
        str | None,
        typer.Option(
            "--pipeline",
            help="Count the pipeline as right if the first program is right (first), if the most "
            "frequent answer is (vote), or if any program is (any: best of k by the label, without "
            "a p value). By default, first and vote.",
        ),
    ] = None,
    by: Annotated[str, typer.Option(help="Break the table down by family or by tool.")] = "family",
    split: Split = None,
    as_json: AsJson = False,
) -> None:
    """Compare the pipeline with the student question by question, with McNemar's test."""
    go("compare", project=project, counting=counting, by=by, split=split, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def check(
    project: ProjectFolder = None,
    split: Split = None,
    limit: Limit = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Run all programs with exact tools, and tell program errors from tool errors.",
        ),
    ] = False,
    measure: Annotated[
        bool,
        typer.Option(
            "--measure",
            help="Measure how often the checks are right, on synthetic scenes (takes minutes).",
        ),
    ] = False,
    top: Annotated[
        int, typer.Option(help="Number of flagged runs to list, the most suspicious first.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Look for kept runs that may be right for the wrong reason.

    Reruns each kept program with altered tool results, and compares its wording and its answer
    with the other programs. Only new or changed runs are checked. Ctrl-C stops the command; the
    same command resumes it.
    """
    go(
        "check",
        project=project,
        split=split,
        limit=limit,
        exact=exact,
        measure=measure,
        top=top,
        as_json=as_json,
    )


@commands.command(rich_help_panel=PANEL)
def probe(
    project: ProjectFolder = None,
    model: Annotated[
        str | None,
        typer.Option(help=f"A student: {STUDENTS} By default, the profile's student."),
    ] = None,
    split: Split = None,
    limit: Annotated[
        int | None, typer.Option(help="Number of questions to draw at random.", min=1)
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed for the choice of questions and of what to corrupt.")
    ] = 0,
    which: Annotated[
        str | None,
        typer.Option(
            "--probe",
            help="Another probe, of `vpd recipes`: it measures ratings or evaluations.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Test whether a student's answer depends on its own rationale.

    The rationale is corrupted and shuffled, and the picture masked, to see when the answer
    changes. Ctrl-C stops the command; the same command resumes it.
    """
    if which is not None:
        go("probe", "ratings", project=project, name=which, as_json=as_json)
        return
    go("probe", project=project, model=model, split=split, limit=limit, seed=seed, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def report(
    project: ProjectFolder = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="The file to write. An earlier report is overwritten."),
    ] = Path("report.html"),
) -> None:
    """Write the project's figures and a dozen examples into one self-contained HTML file."""
    go("report", project=project, out=out)


@commands.command(rich_help_panel=PANEL)
def publish(
    folder: Annotated[
        Path, typer.Argument(help="A new folder, or one that was published to before.")
    ],
    project: ProjectFolder = None,
    search: Annotated[
        str, typer.Option(help="Take the questions that this finds, in the language of Browse.")
    ] = "",
    limit: Annotated[
        int, typer.Option(min=1, help="Take this many questions at most, in order of import.")
    ] = 200,
) -> None:
    """Write pages that anybody can read without a server: report, questions, programs, pictures.

    What reviewers did, settings, addresses and paths are left out. Look at the pages before you
    share them: questions, pictures and programs are shown as they are.
    """
    go("publish", project=project, folder=folder, search=search, limit=limit)


@commands.command(context_settings=PASSED_ON, rich_help_panel=PANEL)
def bench(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="What to measure: execute (running programs), sample (writing them), tools (how "
            "often they are right), store or app."
        ),
    ] = "execute",
) -> None:
    """Measure speed on this machine, or how often the embedded tools are right.

    Options after the name belong to the measurement's own command: `vpd bench NAME --help`.
    """
    go("bench", what=what, arguments=context.args)
