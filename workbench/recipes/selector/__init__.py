"""Selectors: which rows of a snapshot count, and how much.

Files:
    mcts_difficulty.py    questions for which a search among programs takes long
    parity_gap.py         rows that the teacher answers right and the student wrong
    perplexity_weight.py  rows whose targets surprise the student count more
    reward_weight.py      rows whose programs or tool calls are rewarded count more
"""
