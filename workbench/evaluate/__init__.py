"""How good an answer, a trace, a student is: official scorers, statistics, checks and probes; no
store, no screen.

Files:
    benchmarks/     official scorers of the benchmarks, and answers as the files that their servers take
    faithfulness/   whether a student's answer rests on its own rationale
    human.py        what people said of two models, blind: shares, preferences, agreement
    statistics/     how sure a figure is: intervals, paired comparisons, seeds, votes
    wrong_reasons/  whether a program is right, or only its answer; whose error a wrong one is
"""
