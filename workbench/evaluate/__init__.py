"""How good an answer, a trace, a student is: official scorers, statistics, checks and probes; no store, no screen.

Files:
    aokvqa.py      A-OKVQA: multiple choice and direct answers
    blame.py       whose error a wrong answer is: the program's or the tools'
    corrupt.py     one fact of a rationale made wrong, and edits that should change nothing
    elsewhere.py   is a program right on other scenes
    ending.py      where a rationale's reasons end, and the answer that it states
    gqa.py         GQA: accuracy, binary and open, types, consistency
    hateful.py     Hateful Memes: ROC-AUC and accuracy
    human.py       what people said of two models, blind: shares, preferences, agreement
    measure_reasons.py  how right the checks for wrong reasons are
    mmbench.py     MMBench: letters read, right in every rotation
    mutate.py      wrong programs made of right ones
    oracle.py      exact tools on drawn scenes
    perturb.py     ways to change what the tools of a run said
    pope.py        POPE: the official parser, F1 and the other four
    probe.py       does a student's answer rest on its own rationale
    reasons.py     checks for wrong reasons, and suspicion
    scenes.py      exact answers of a question's form, and other scenes for it
    scorers.py     the scorer of a benchmark by name
    scores.py      what a scorer takes and gives
    seeds.py       systems trained several times: means over seeds, and how far they are apart
    statistics.py  intervals, paired comparisons, many comparisons
    submission.py  answers as the official files
    tallyqa.py     TallyQA: whole numbers, RMSE
    vqa.py         VQAv2 and OK-VQA: leave-one-out accuracy
    worlds.py      programs run again where tools say something else
"""
