"""What running programs, tools, store and pages cost, each beside a limit.

Files:
    execute.py  vpd bench execute: what running programs costs, as ratios measured in one run
    pages.py    vpd bench app: what the pages cost, through the real server and a real Chromium
    store.py    vpd bench store: what keeping and finding records costs
    tools.py    vpd bench tools: how often the embedded tools are right
"""
