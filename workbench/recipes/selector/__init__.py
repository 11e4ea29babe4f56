"""Selectors: which rows of a snapshot count, and how much.

Files:
    parity_gap.py         rows that the teacher answers right and the student wrong
    perplexity_weight.py  rows whose targets surprise the student count more
"""
