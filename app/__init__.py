"""Everything a person looks at.  Floor 7: it may import from anywhere below, and nothing imports it
but the CLI.

Files:
    account.py         logging in and out
    answers.py         live answers: visitors' pictures, questions under way
    api.py             the documented API: search, get_trace, decide, snapshot
    browse.py          questions by facets and words, bulk actions
    browse_chosen.py   what is done with many questions of Browse at once
    browse_facets.py   the values beside the list, columns of a table's own
    chart_library.py   Plotly under our policy
    compare.py         both sides live, links that carry answers; all questions in a table
    curate.py          one question a screen, decided from the keyboard
    curate_history.py  what was decided, taking it back, what one did in a session
    curate_queue.py    which questions a page of a reviewer holds
    curate_rules.py    the queue's settings, leases, guidelines, what a snapshot would hold
    dashboard.py       figures as charts that keep their zoom
    guard.py           host, origin, login, body bounds and headers before every page
    guesses.py         how often a password may be tried, how many are hashed at once
    header.py          what the header says beside the project: work that goes on
    health.py          whether the server works, and its figures for Prometheus
    home.py            the start page: the loop as six steps, imports and runs, recent work
    interface.py       Compare as a Gradio interface
    js/                what checks the scripts, and the source of the program editor
    kept_answers.py    answers that a link of Compare carries
    local_day.py       when today began where the person sits
    main.py            builds and starts the server
    people.py          users, roles, passwords, sessions
    public_text.py     texts for strangers, without addresses and paths
    publish.py         vpd publish: a project as a folder of pages for strangers
    quick_json.py      large answers, written as JSON in one go
    rating.py          two models' answers to one question, blind, on the paper's form
    recipes.py         published methods that can be chosen by name, with their cards
    replay.py          edit and replay, and the difference of two runs
    report.py          vpd report: a project as one HTML file
    runs.py            runs as the step page looks them up, drafts among them
    sessions.py        logins in a file, so that they outlive the server
    side_news.py       events of a question under way, as JSON
    sign_on.py         signing in at an OpenID Connect provider
    sign_on_settings.py  the settings of that
    site.py            the shell that every page stands on
    static/            styles and plain ES modules
    status.py          job and device in the header
    step.py            stepping through one run
    templates/         one HTML template per page
    train.py           training jobs: the walkthrough, the jobs with their curves, what came of them
    train_curves.py    a run's figures as curves, read on from the last look
    train_data.py      snapshots as the walkthrough shows them
    train_fields.py    one setting of a job as the form shows it, and the teachers
    train_form.py      a job's settings, and what is wrong with what was chosen
    train_jobs.py      jobs as the page shows them: the list, one, several beside each other
    train_look.py      looks before a start, in a process of their own
    train_models.py    the models that finished jobs left, also for Compare
    votes.py           votes of Compare, and what it sends to the queue
"""

import contextlib
import importlib
import sys

_GRAMMAR = "rfc3987_syntax"
"""A package that JupyterLab brings.  It compiles a grammar of addresses when it is imported, which
is more than half of the processor time of importing this app (LOG.md).
"""


def _import_jsonschema_without_the_grammar() -> None:
    """Import jsonschema, which Gradio's protocol server needs, without the check of addresses."""
    if _GRAMMAR in sys.modules or "jsonschema" in sys.modules:
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # "not installed", says Python
    try:
        with contextlib.suppress(ImportError):
            importlib.import_module("jsonschema")
    finally:
        del sys.modules[_GRAMMAR]


_import_jsonschema_without_the_grammar()
