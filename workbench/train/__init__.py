"""Fine-tuning: a snapshot and a job file in, a student out.

A bare machine with a GPU can run it: `run` needs torch, transformers, peft, accelerate,
safetensors, pyarrow, Pillow, msgspec and tomli-w; no store, no pages.

Files:
    batch.py          lessons in tokens, as a model takes them
    checkpoint.py     checkpoints of a run: what is trained, the optimizer's state, the step
    estimate.py       before a run: three examples as the student gets them, and what it will cost
    examples.py       lessons to tokens: one way for every vision-language model of transformers
    failure.py        why a run failed, in words, and what to change
    feeding.py        micro-batches in tokens, ready before the model asks for them
    foreign.py        a job that another trainer runs: a command, started, watched and stopped
    held_out.py       how good a student is while it is trained: the held-out side, asked as later
    job.py            a job as written: one TOML file that says everything a run needs
    jobs.py           the queue of training jobs: folders, nothing else
    launchers.py      where a job runs: this machine, a Slurm cluster, a Ray cluster
    load.py           the model that is trained: from a checkpoint, with adapters, to a checkpoint
    looks.py          what a look at a job before its start tells
    loss.py           from lessons about pictures to their losses, in steps and evaluations
    memory.py         what a job needs on a graphics card, counted by shapes before it is loaded
    model_card.py     the draft of a model card: base, data, settings, figures, limits
    notices.py        what a run would have learnt from and does not get
    objective.py      what a student learns from an example: the published objective and its control
    optimizer.py      AdamW that follows a schedule, for every training loop of the house
    run.py            one run of one job, alone, or under `accelerate launch` or `torchrun`
    schedule.py       the number of steps, and the learning rate as a function of the step alone
    shared_prefix.py  several lessons in one row, so that their common beginning is computed once
    trackers.py       figures for Trackio and Weights & Biases, while a run goes on
    status_files.py   what a run says of itself, in files: the heartbeat, the figures, the result
"""
