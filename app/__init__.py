"""Everything a person looks at.  Floor 7: it may import from anywhere below, and nothing imports it but the CLI.

Files:
    account.py       logging in and out
    answers.py       live answers: visitors' pictures, questions under way, their events as JSON
    api.py           the documented API: search, get_trace, decide, snapshot
    bench.py         vpd bench app: what the pages cost, through the real server and a real Chromium
    browse.py        questions by facets and words, bulk actions
    compare.py       both sides live, votes, the queue; all questions in a table
    curate.py        one question a screen, decided from the keyboard
    curate_item.py   one question as a curator sees it
    curate_rules.py  the queue's settings, leases, guidelines, what a snapshot would hold
    dashboard.py     figures as charts that keep their zoom
    guard.py         host, origin, login, body bounds and headers before every page
    highlight.py     Python source in colours
    main.py          builds and starts the server
    people.py        users, roles, passwords, sessions
    player.py        what the step player is given: model, folds, variables
    rating.py        two models' answers to one question, blind, on the paper's form
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
