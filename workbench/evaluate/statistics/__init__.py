"""How sure a figure is: intervals, paired comparisons, seeds, votes.

Files:
    comparisons.py  intervals, paired comparisons, many comparisons
    over_seeds.py   systems trained several times: means over seeds, and how far they are apart
"""
