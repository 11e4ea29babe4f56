"""What writing and running programs, tools, store and pages cost, each beside a limit.

Files:
    crowd.py          people who decide at once over HTTP
    execute.py        vpd bench execute: what running programs costs, as ratios measured in one run
    execute_programs.py  what it runs: programs of usual size, and tools that cost nothing
    figure.py         the figure that every bench gives, and how its command prints it
    gpu_blocks.py     the blocks of train_gpu that train
    gpu_tools.py      its blocks that write programs and find boxes
    pages.py          vpd bench app: what the pages cost, in the real server and a real Chromium
    sample.py         vpd bench sample: what writing programs costs, beside a peer in the same run
    store.py          vpd bench store: what keeping and finding records costs
    store_fill.py     a project full of questions, made by the database itself
    store_records.py  questions with programs, traces and verdicts, as records
    tools.py          vpd bench tools: how often the embedded tools are right
    train.py          vpd bench train: lessons a second beside other trainers, on a processor
    train_contenders.py  trainers on the same rows: ours, transformers', TRL's
    train_gpu.py      vpd bench train-gpu: one script for a GPU, at most eight minutes
    train_models.py   students of real size with random weights, and rows to teach them
"""
