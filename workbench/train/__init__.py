"""Fine-tuning: a snapshot and a job file in, a student out.

A bare machine with a GPU can run it: `run` needs torch, transformers, peft, accelerate, safetensors, pyarrow,
Pillow, msgspec and tomli-w; no store, no pages.

Files:
    board.py       what a run says of itself, in files: the heartbeat, the figures, the result
    card.py        the draft of a model card: base, data, settings, figures with their interval, limits
    checkpoint.py  checkpoints of a run: what is trained, the optimizer's state, the step
    estimate.py    before a run: what three examples look like to the student, and what the run will cost
    evaluate.py    how good a student is while it is trained: the held-out side, asked as it will be asked later
    examples.py    lessons to tokens: one way for every vision-language model of transformers
    failure.py     why a run failed, in words, and what to change
    job.py         a job as written: one TOML file that says everything a run needs
    jobs.py        the queue of training jobs: folders, nothing else
    launchers.py   where a job runs: this machine, a Slurm cluster, a Ray cluster
    objective.py   what a student learns from an example, and the loss that follows
    run.py         one run of one job, alone, or under `accelerate launch` or `torchrun`
    schedule.py    the learning rate as a function of the step alone
    sharing.py     the lessons about one picture in one row, so that the picture is computed once
    students.py    the model that is trained: loaded, adapters put on, at the end a plain checkpoint again
"""
