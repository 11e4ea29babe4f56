"""How good an answer, a trace or a student is: official scorers, statistics, checks and probes.

Nothing here knows a store or a screen.

Files:
    benchmarks/     official scorers of the benchmarks, and answers in the files of their servers
    faithfulness/   whether a student's answer rests on its own rationale
    human.py        blind ratings of two models: shares, preferences, agreement
    statistics/     how sure a figure is: intervals, paired comparisons, seeds, votes
    wrong_reasons/  whether a program is right, or only its answer; whose error a wrong one is
"""
