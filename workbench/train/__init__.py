"""Fine-tuning: a snapshot and a job file in, a student out.

A bare machine with a GPU can run it: `run` needs torch, transformers, peft, accelerate,
safetensors, pyarrow, Pillow, msgspec and tomli-w; no store, no pages.

Files:
    auxiliary.py      what tools say of examples, as vectors that an objective teaches
    batch.py          lessons in tokens, as a model takes them
    checkpoint.py     checkpoints of a run: what is trained, the optimizer's state, the step
    classroom.py      before the first step: teacher, tool and objective meet the student
    devices.py        where a run computes: processes, number format, memory
    estimate.py       before a run: three examples as the student gets them, and what it will cost
    examples.py       lessons to tokens: one way for every vision-language model of transformers
    failure.py        why a run failed, in words, and what to change
    feeding.py        micro-batches in tokens, ready before the model asks for them
    foreign.py        a job that another trainer runs: a command, started, watched and stopped
    forward.py        one run of a model, with as much of its inside as somebody reads
    held_out.py       how good a student is while it is trained: the held-out side, asked as later
    job.py            a job as written: one TOML file that says everything a run needs
    jobs.py           the queue of training jobs: folders, nothing else
    kernels.py        kernels of liger-kernel in place of a student's own
    launchers.py      where a job runs: this machine, a Slurm cluster, a Ray cluster
    load.py           the model that is trained: from a checkpoint, with adapters, to a checkpoint
    looks.py          what a look at a job before its start tells
    loss.py           from lessons about pictures to their losses, in steps and evaluations
    memory.py         what a job needs on a graphics card, counted by shapes before it is loaded
    methods.py        methods that are more than an objective: DPO and KTO
    model_card.py     the draft of a model card: base, data, settings, figures, limits
    notices.py        what a run would have learnt from and does not get
    objective.py      the curricula: what is asked about an example, and what should be said
    optimizer.py      AdamW that follows a schedule, for every training loop of the house
    peers.py          the second student of an objective of two
    pictures.py       the picture of an example, or its pictures, as students take them
    plan.py           the parts that a job names, and plain cross-entropy
    preference.py     DPO and KTO, and the curriculum of preference pairs
    reward.py         the student answers, the verifier judges, its answers are the lessons
    run.py            one run of one job, alone, or under `accelerate launch` or `torchrun`
    schedule.py       the steps of a run: number, learning rates, time
    shared_prefix.py  several lessons in one row, so that their common beginning is computed once
    trackers.py       figures for Trackio and Weights & Biases, while a run goes on
    training_run.py   a run's state, and what one step of it does
    sources.py        the local files that a job computes with, and their digests
    status_files.py   what a run says of itself, in files: the heartbeat, the figures, the result
    target_loss.py    how well a student already says the targets of lessons
    teacher_cache.py  outputs of a teacher on disk, by what they were made from
    teachers.py       who teaches: a checkpoint, several together, the answers of the programs
    workshop.py       what the loop lends a transform that learns
"""
