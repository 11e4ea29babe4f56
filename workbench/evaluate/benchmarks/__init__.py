"""Official scorers of the benchmarks, and answers as the files that their servers take.

Files:
    aokvqa.py      A-OKVQA: multiple choice and direct answers
    gqa.py         GQA: accuracy, binary and open, types, consistency
    hateful.py     Hateful Memes: ROC-AUC and accuracy
    mmbench.py     MMBench: letters read, right in every rotation
    nlvr2.py       NLVR2: accuracy and consistency
    pope.py        POPE: the official parser, F1 and the other four
    scorers.py     the scorer of a benchmark by name
    scores.py      what a scorer takes and gives
    submission.py  answers as the official files
    tallyqa.py     TallyQA: whole numbers, RMSE
    vqa.py         VQAv2 and OK-VQA: leave-one-out accuracy
"""
