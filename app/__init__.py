"""Everything a person looks at.  Floor 7: it may import from anywhere below, and nothing imports it but the CLI.

Files:
    account.py       logging in and out
    answers.py       live answers: visitors' pictures, questions under way, their events as JSON
    api.py           the documented API: search, get_trace, decide, snapshot
    bench.py         `vpd bench app`: what the pages cost on this machine, through the real server and a real Chromium, beside the aims
    browse.py        questions by facets and words, bulk actions
    compare.py       both sides live, votes, the queue; all questions in a table
    curate.py        curate: one question a screen, decided from the keyboard; `curate_item.py` says what is seen of it
    curate_item.py   one question as a curator sees it: its candidates, how far they agree, and the run of the one that is open
    curate_rules.py  what stands beside the queue: its settings, who holds what, the guidelines, and what a snapshot would hold now
    dashboard.py     figures as charts that keep their zoom
    guard.py         host, origin, login, body bounds and headers before every page
    highlight.py     Python source in colours
    main.py          builds and starts the server
    people.py        users, roles, passwords, sessions
    player.py        what the step player is given: model, folds, variables
    rating.py        rating mode of Curate: two models' answers to one question, blind, on the form of the paper's evaluation
    replay.py        edit and replay, and the difference of two runs
    site.py          the shell that every page stands on
    static/          styles and the step player, plain ES modules
    status.py        job and device in the header
    step.py          stepping through one run
    steps.py         trace events to the player's steps
    templates/       one HTML template per page
    train.py         the page of training jobs
    views.py         records in words for people
"""
