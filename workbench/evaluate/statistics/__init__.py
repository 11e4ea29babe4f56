"""How sure a figure is: intervals, paired comparisons, seeds, votes.

Files:
    comparisons.py  intervals, paired comparisons, many comparisons
    ranking.py      how well scores order: ROC-AUC, precision at a recall
    over_seeds.py   systems trained several times: means over seeds, and how far they are apart
"""
