"""Charts of what became of a project's questions, of its tools and of its people.

The charts of models and evaluations stand in `system_charts`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.screen.charts.chart import (
    TONES,
    Chart,
    axis,
    bars,
    dot_plot,
    flat,
    in_full,
    interval,
    percent,
    seconds,
    size_of,
    stacked_bars,
    words,
)
from workbench.screen.charts.overview import Overview
from workbench.shares import Share
from workbench.store.reading.search import token
from workbench.usage import per_rationale

WILSON = "95 % intervals: Wilson 1927."


def numbers(overview: Overview) -> list[tuple[str, str, str]]:
    """The figures on top of the dashboard, each as its name, its value and what it is of."""
    step = {one.name: one.tasks for one in overview.funnel}
    return [
        ("Questions", f"{overview.tasks:,}", _visitors(overview)),
        ("Programs", f"{overview.programs:,}", f"k = {overview.k}"),
        ("Executed", percent(overview.executed), f"of {overview.executed.of:,} runs"),
        ("Yield", percent(overview.kept), f"of {overview.kept.of:,} judged"),
        ("With evidence", percent(overview.looked), "the program looked"),
        ("Accepted", f"{step['accepted']:,}", "questions, by people"),
        ("In snapshot", f"{step['in snapshot']:,}", "questions, the newest one"),
        ("Best student", *_best_student(overview)),
        ("Student faster by", *_speed(overview)),
        *_endpoints(overview),
    ]


def _endpoints(overview: Overview) -> list[tuple[str, str, str]]:
    """What endpoints were asked; nothing where none was."""
    usage = overview.usage
    if not usage.requests:
        return []
    tokens = f"{usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens"
    if each := per_rationale(usage, overview.rationales):
        tokens += f"; a kept rationale: {each}"
    if not usage.cost:
        return [("Endpoints", f"{usage.requests:,}", f"requests, {tokens}")]
    return [("Endpoints", f"{usage.cost:,.2f}", f"cost of {usage.requests:,} requests, {tokens}")]


def _visitors(overview: Overview) -> str:
    """What the figures leave out; empty where no visitor has asked anything."""
    return f"without {overview.visitors:,} of visitors" if overview.visitors else ""


def _best_student(overview: Overview) -> tuple[str, str]:
    best = overview.best
    if best is None:
        return "–", "no answer yet"
    bounds = f"{100 * best.low:.1f} to {100 * best.high:.1f} %"
    return f"{100 * best.value:.1f} %", f"{best.name}: {bounds}, n = {best.of:,}"


def _speed(overview: Overview) -> tuple[str, str]:
    """How many times as fast as the pipeline the best student is, and both sides' times."""
    slow, best = overview.pipeline, overview.best
    if slow is None or best is None or best.seconds <= 0:
        return "–", "both sides' times are needed"
    times = f"{seconds(slow.seconds)} : {seconds(best.seconds)} a question"
    return f"{slow.seconds / best.seconds:.1f}×", times


def loop_charts(overview: Overview) -> list[Chart]:
    """Charts from question to snapshot: the funnel, pass@k, families and errors."""
    return [_funnel(overview), _passed(overview), _families(overview), _errors(overview)]


def tool_charts(overview: Overview) -> list[Chart]:
    """Charts of how runs end by tool, and of the tools that people blame."""
    return [_tools(overview), _blame(overview)]


def people_charts(overview: Overview) -> list[Chart]:
    """Charts of reviewers: their pace, agreement and reasons, and the automatic verdict beside."""
    return [
        _pace(overview),
        _reviewers(overview),
        _kappas(overview),
        _reasons(overview),
        _agreement(overview),
        _confusion(overview),
    ]


def _funnel(overview: Overview) -> Chart:
    before = [None, *(step.tasks for step in overview.funnel)]
    rows = [
        (
            step.name,
            step.tasks,
            f"{100 * step.tasks / last:.0f} %" if last and step.tasks <= last else None,
        )
        for step, last in zip(overview.funnel, before)
    ]
    plot = bars([(name, tasks) for name, tasks, _ in reversed(rows)], "questions", "@accent")
    plot["layout"]["yaxis"] = {
        "categoryorder": "array",
        "categoryarray": [words(name) for name, _, _ in rows[::-1]],
    }
    return Chart(
        "funnel",
        "From question to trained model",
        f"{overview.funnel[-1].tasks:,} of {overview.tasks:,} questions taught",
        f"questions, n = {overview.tasks:,}; percentages of the step before",
        "Sampled: all k programs written. Executed: a program ended with an answer. Matched: a "
        "trace was kept. Accepted: by a person. In snapshot: the newest one. Trained: questions "
        "that any model was taught.",
        "Fills when questions are imported: vpd import.",
        ("step", "questions", "of the step before"),
        tuple(rows),
        plot,
        tuple(step.token for step in overview.funnel),
    )


def _passed(overview: Overview) -> Chart:
    curve = overview.curve
    says = ""
    if curve:
        (_, first), (k, last) = curve[0], curve[-1]
        says = f"a right program among k: {percent(first)} for 1, {percent(last)} for {k}"
    return Chart(
        "pass_at_k",
        "pass@k",
        says,
        f"% of judged labelled questions, n = {overview.kept.of:,}; band: 95 % (Wilson)",
        "Unbiased estimator of Chen et al. 2021 (arXiv 2107.03374) over the k programs of each "
        "labelled question; gains against pass@1, in points and in percent of it. It knows the "
        "label: an upper bound of what a choice among the programs can reach.",
        "Fills when programs of labelled questions have been run and judged: vpd run.",
        ("k", "pass@k", "low", "high", "n", "gain, points", "gain, relative"),
        tuple((k, *interval(share), *_gain(share, curve[0][1])) for k, share in curve),
        {
            "data": _curve_lines(overview) if curve else [],
            "layout": {"xaxis": axis("k programs", dtick=1), "yaxis": axis("%", range=[0, 100])},
        },
    )


def _gain(share: Share, first: Share) -> tuple[str | None, str | None]:
    """How far a pass@k stands above pass@1, in points and in percent of pass@1."""
    if first.value is None or share.value is None:
        return None, None
    gain = share.value - first.value
    relative = f"{100 * gain / first.value:+.1f} %" if first.value else None
    return f"{100 * gain:+.1f}", relative


def _curve_lines(overview: Overview) -> list[dict[str, Any]]:
    """Plotly's traces of pass@k: the band of its interval, and the line."""
    x = [k for k, _ in overview.curve]
    low, high = ([100 * share.interval[at] for _, share in overview.curve] for at in (0, 1))
    band = {
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": "@accent",
        "opacity": 0.14,
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "showlegend": False,
    }
    line = {
        "x": x,
        "y": [100 * (share.value or 0) for _, share in overview.curve],
        "mode": "lines+markers",
        "line": {"color": "@accent", "width": 2},
        "marker": {"size": 7, "color": "@accent"},
        "hovertemplate": "pass@%{x}: %{y:.1f} %<extra></extra>",
        "showlegend": False,
    }
    return [band, line]


def _families(overview: Overview) -> Chart:
    names = [one.name for one in overview.families]
    last = f"pass@{overview.k}"
    series = [
        ("pass@1", [one.first for one in overview.families], "@accent", "circle-open"),
        (last, [one.best for one in overview.families], "@accent", "circle"),
        ("student", [one.student for one in overview.families], "@warm", "diamond"),
    ]
    return Chart(
        "families",
        "By family of question",
        f"{len(names)} families" if names else "",
        "%, 95 % (Wilson); judged labelled questions, "
        f"n = {_n(one.best for one in overview.families):,}",
        f"pass@k as above; student: the student in force, its direct answers. {WILSON}",
        "Fills when labelled questions have been judged or answered: vpd run.",
        ("family", "questions", "pass@1", last, "n judged", "student right", "n answered"),
        tuple(
            (
                one.name or "(none)",
                one.tasks,
                one.first.value,
                one.best.value,
                one.best.of,
                one.student.value,
                one.student.of,
            )
            for one in overview.families
        ),
        dot_plot(names, series),
        tuple(token("family", name) if name else None for name in names),
        "wide" if len(names) > 8 else "",
    )


def _errors(overview: Overview) -> Chart:
    days = sorted({one["day"] for one in overview.errors})
    kinds = list(dict.fromkeys(one["kind"] for one in overview.errors))
    runs = {(one["kind"], one["day"]): one["runs"] for one in overview.errors}
    of = {kind: sum(runs.get((kind, day), 0) for day in days) for kind in kinds}
    if len(days) < 2:
        plot = bars(list(of.items()), "runs", "@crash")
    else:
        plot = stacked_bars(
            days, {kind: [runs.get((kind, day), 0) for day in days] for kind in kinds}, "runs"
        )
    return Chart(
        "errors",
        "Errors by class",
        f"{sum(of.values()):,} runs ended without an answer" if of else "",
        f"runs, n = {overview.executed.of:,}; by day where there are several",
        "Each failed run is a row with its kind and line; none is retried until it answers.",
        "No run has failed; this fills when one does.",
        ("class", "day", "runs", "questions"),
        tuple((one["kind"], one["day"], one["runs"], one["tasks"]) for one in overview.errors),
        plot,
        tuple(token("kind", one["kind"]) for one in overview.errors),
    )


def _tools(overview: Overview) -> Chart:
    names = [tool.name for tool in overview.tools]
    series = [
        ("right by the label", [tool.right for tool in overview.tools], "@accent", "circle"),
        ("accepted by people", [tool.accepted for tool in overview.tools], "@warm", "diamond"),
    ]
    return Chart(
        "by_tool",
        "Acceptance by tool",
        "runs that called the tool",
        f"%, 95 % (Wilson); judged n = {_n(tool.right for tool in overview.tools):,}, "
        f"people's n = {_n(tool.accepted for tool in overview.tools):,}",
        "A run counts for each tool that it called, whatever the tool's part in the answer was. "
        f"{WILSON}",
        "Fills when programs have called tools and been judged: vpd run.",
        (
            "tool",
            "runs",
            "right",
            "low",
            "high",
            "n judged",
            "accepted by people",
            "low",
            "high",
            "n decided",
        ),
        tuple(
            (tool.name, tool.runs, *interval(tool.right), *interval(tool.accepted))
            for tool in overview.tools
        ),
        dot_plot(names, series),
        tuple(token("tool", name) for name in names),
    )


def _blame(overview: Overview) -> Chart:
    steps = [(tool.name, tool.blamed) for tool in overview.tools]
    steps.append(("the program itself", overview.own_blame))
    rows = sorted((row for row in steps if row[1]), key=lambda row: -row[1])
    return Chart(
        "blame",
        "Blame by tool",
        "first wrong steps that people marked",
        f"steps, n = {sum(n for _, n in rows):,}",
        "The first wrong step that a reviewer marked in a trace, by the tool that it called.",
        "Fills when reviewers mark the first wrong step of a program: b in Step or Curate.",
        ("tool", "first wrong steps"),
        tuple(rows),
        bars(rows, "first wrong steps", "@bad"),
    )


def _pace(overview: Overview) -> Chart:
    days = sorted({one["day"] for one in overview.pace})
    counts = {(one["author"], one["day"]): one["n"] for one in overview.pace}
    people = {
        who: [counts.get((who, day), 0) for day in days]
        for who in sorted({who for who, _ in counts})
    }
    return Chart(
        "pace",
        "Reviewers' pace",
        "standing decisions by day and person",
        f"decisions, n = {sum(counts.values()):,}; by day",
        "What was taken back does not count, nor what was decided in bulk.",
        "Fills when people decide: a, r and s in Curate.",
        ("day", "reviewer", "decisions"),
        tuple((one["day"], one["author"], one["n"]) for one in overview.pace),
        stacked_bars(days, people, "decisions"),
    )


def _reviewers(overview: Overview) -> Chart:
    rows = [
        (
            one.name,
            one.decided,
            one.bulk,
            round(one.per_day, 1),
            one.median_seconds and round(one.median_seconds, 1),
            in_full(one.accepted),
            in_full(one.gold),
        )
        for one in overview.reviewers
    ]
    return Chart(
        "reviewers",
        "Reviewers",
        "pace, acceptance and gold items",
        f"n = {len(rows)} people; acceptance with 95 % (Wilson)",
        "Seconds are those from showing an item to deciding it. What was decided in bulk, with no "
        "look at each, counts in its column alone.",
        "Fills when people decide in Curate.",
        ("reviewer", "decided", "in bulk", "per day", "median s", "accepted", "of gold right"),
        tuple(rows),
    )


def _kappas(overview: Overview) -> Chart:
    most = max((one["n"] for one in overview.kappas), default=0)
    pairs = sorted({(one["first"], one["second"]) for one in overview.kappas})
    data = []
    for at, pair in enumerate(pairs):
        rows = [
            one
            for one in overview.kappas
            if (one["first"], one["second"]) == pair and one["kappa"] is not None
        ]
        data.append(
            {
                "mode": "lines+markers",
                "name": flat(", ".join(pair)),
                "x": [one["day"] for one in rows],
                "y": [one["kappa"] for one in rows],
                "customdata": [one["n"] for one in rows],
                "line": {"color": TONES[at % 6]},
                "hovertemplate": "κ %{y:.2f}, n = %{customdata}<extra></extra>",
            }
        )
    return Chart(
        "kappas",
        "Agreement over time",
        "Cohen's κ at the end of each day",
        f"κ over items that both judged, at most n = {most:,}",
        "Each pair of reviewers, over all items that both had accepted or rejected, one by one, by "
        "the end of the day.",
        "Fills when two reviewers have judged the same items: set overlap to 2 in Curate.",
        ("day", "reviewers", "κ", "n"),
        tuple(
            (one["day"], f"{one['first']}, {one['second']}", one["kappa"], one["n"])
            for one in overview.kappas
        ),
        {
            "data": data,
            "layout": {
                "xaxis": {"type": "category"},
                "yaxis": axis("κ", range=[-1.05, 1.05]),
                "showlegend": True,
            },
        },
    )


def _reasons(overview: Overview) -> Chart:
    rows = list(overview.reasons.items())
    return Chart(
        "reasons",
        "Rejections by reason",
        "why people reject",
        f"standing rejections, n = {sum(overview.reasons.values()):,}",
        "The reason that a reviewer chose from the closed list.",
        "Fills when people reject in Curate: r and a digit.",
        ("reason", "rejections"),
        tuple(rows),
        bars(rows, "rejections", "@bad"),
    )


def _agreement(overview: Overview) -> Chart:
    return Chart(
        "agreement",
        "Agreement",
        "Cohen's κ of two reviewers",
        f"items that both judged, n = {sum(one['n'] for one in overview.agreement):,}",
        "Over items that both accepted or rejected, one by one; gold items count, too.",
        "Fills when two reviewers have judged the same item: set overlap to 2 in Curate.",
        ("reviewers", "κ", "n", "alike", ""),
        tuple(
            (f"{one['first']}, {one['second']}", one["kappa"], one["n"], one["same"], one["note"])
            for one in overview.agreement
        ),
    )


def _confusion(overview: Overview) -> Chart:
    counts = overview.confusion
    rows = (
        ("right", counts["right_accepted"], counts["right_rejected"]),
        ("wrong", counts["wrong_accepted"], counts["wrong_rejected"]),
    )
    return Chart(
        "confusion",
        "Automatic verdict and people",
        "",
        f"standing decisions on a trace, n = {sum(counts.values()):,}",
        "The verdict at the moment of the decision against what the person said, one by one: in "
        "bulk, people take the verifier's word.",
        "Fills when people have judged traces that have an automatic verdict.",
        ("automatic verdict", "accepted", "rejected"),
        rows if sum(counts.values()) else (),
    )


def disk_chart(overview: Overview) -> Chart:
    """Chart of the sizes of the project's folder, and of its last backup."""
    disk = overview.disk
    rows = (
        ("store", size_of(disk.store)),
        ("pictures", size_of(disk.images)),
        ("cache", size_of(disk.cache)),
        ("free on this disk", size_of(disk.free)),
        (
            "last backup",
            f"{disk.backup[:16].replace('T', ' ')} UTC" if disk.backup else "none yet: vpd backup",
        ),
    )
    return Chart(
        "disk",
        "Disk",
        "",
        "sizes of the project's folder",
        "",
        "",
        ("what", "size"),
        rows,
    )


def _n(shares: Iterable[Share]) -> int:
    return sum(share.of for share in shares)
