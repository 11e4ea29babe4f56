"""Charts of programs that are right for the wrong reason.

They show the flags of the checks, how right the checks are, and whether the program or its tools
caused a wrong answer.
"""

from __future__ import annotations

from workbench.evaluate.wrong_reasons.blame import Attribution
from workbench.evaluate.wrong_reasons.measure_checks import CheckMeasures
from workbench.evaluate.wrong_reasons.suspicion import CHECKS
from workbench.screen.charts.chart import Chart, Row, axis, dot_plot, interval, words
from workbench.shares import Share
from workbench.store import Project
from workbench.store.reading.checks import flag_counts
from workbench.store.reading.search import token
from workbench.study.checking import last_attribution, last_measures


def reason_charts(project: Project) -> list[Chart]:
    """Charts of the flags, of the checks' precision and recall, and of whose errors answers are."""
    return [
        _flags(project),
        _measures_chart(last_measures(project)),
        _exact(last_attribution(project)),
    ]


def _flags(project: Project) -> Chart:
    checked, flags = flag_counts(project.database)
    shares = {name: Share(n, checked) for name, n in flags.items()}
    titles = [CHECKS.get(name, name) for name in shares]
    return Chart(
        "flags",
        "Right for the wrong reason?",
        "kept programs that a check speaks against",
        f"% of checked kept runs, n = {checked:,}; 95 % (Wilson)",
        "Each kept program is run again with changed tool results, and looked at for signs. "
        "A flag ranks and asks; a person decides.",
        "Fills when kept runs are checked: vpd check.",
        ("check", "runs", "share", "low", "high", "n checked"),
        tuple(
            (CHECKS.get(name, name), int(share.hits), *interval(share))
            for name, share in shares.items()
        ),
        dot_plot(titles, [("flagged", list(shares.values()), "@warm", "circle")]),
        tuple(token("flag", name) for name in shares),
    )


def _measures_chart(measures: CheckMeasures | None) -> Chart:
    sets = measures.sets if measures else {}
    rows: list[Row] = []
    for name, checks in sets.items():
        for check, one in checks.items():
            auc = one.auc or (None, None, None)
            rows.append(
                (
                    words(name),
                    CHECKS.get(check, check),
                    *interval(one.precision),
                    *interval(one.recall),
                    one.alarms.value,
                    one.alarms.of,
                    *auc,
                )
            )
    labels, series = [], []
    if measures:
        checks = next(iter(sets.values()))
        labels = [CHECKS.get(check, check) for check in checks]
        series = [
            ("precision", [one.precision for one in checks.values()], "@accent", "circle"),
            ("recall", [one.recall for one in checks.values()], "@warm", "diamond"),
            ("false alarms", [one.alarms for one in checks.values()], "@bad", "cross"),
        ]
    return Chart(
        "checks",
        "How right the checks are",
        f"drawn: {words(next(iter(sets)))}" if measures else "",
        "%, 95 % (Wilson); n beside each in the table; "
        f"undecided: {measures.undecided if measures else 0:,} runs",
        "Against programs whose correctness is known from other scenes, and against mutants of "
        "right programs whose answer is still right. Suspicion: all checks together by the fixed "
        "rule; fitted: by regression over others.",
        "Fills when the checks are measured: vpd check --measure.",
        (
            "set",
            "check",
            "precision",
            "low",
            "high",
            "n flagged",
            "recall",
            "low",
            "high",
            "n wrong",
            "false alarms",
            "n right",
            "AUC",
            "low",
            "high",
        ),
        tuple(rows),
        dot_plot(labels, series),
        size="wide",
    )


def _exact(attribution: Attribution | None) -> Chart:
    causes = {**attribution.families, "all": attribution.all} if attribution else {}
    programs = attribution.all.of if attribution else 0
    left_out = attribution.left_out if attribution else 0
    kinds = (
        ("program error", "program", "@bad"),
        ("tool error", "tool", "@warm"),
        ("undecided", "undecided", "@crash"),
    )
    names = [words(name) for name in causes]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "y": names,
            "x": [getattr(one, key) for one in causes.values()],
            "marker": {"color": color},
            "hovertemplate": "%{y}: %{x} programs<extra></extra>",
        }
        for title, key, color in kinds
    ]
    layout = {
        "barmode": "stack",
        "xaxis": axis("wrong programs", rangemode="tozero"),
        "showlegend": True,
    }
    return Chart(
        "exact",
        "Program errors and tool errors",
        "wrong answers, run once more with exact tools",
        f"programs, n = {programs:,} on drawn scenes; left out: {left_out:,}",
        "The same program with exact tools on the same scene: wrong again is the program's error, "
        "right now is the tools'. Lucky: right only because a tool erred.",
        "Fills when programs are run with exact tools: vpd check --exact.",
        (
            "family",
            "programs",
            "right",
            "lucky",
            "program errors",
            "tool errors",
            "undecided",
            "program's share",
            "low",
            "high",
            "n decided",
        ),
        tuple(
            (
                name or "(none)",
                one.of,
                one.right,
                one.lucky,
                one.program,
                one.tool,
                one.undecided,
                *interval(one.program_share),
            )
            for name, one in causes.items()
        ),
        {"data": bars if causes else [], "layout": layout},
    )
