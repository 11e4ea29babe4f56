"""Probes: measurements with their intervals.

Files:
    knowledge_rationale_eval.py  answers and rationales judged blind, by what they take
    transfer_card.py             students and programs on their common questions
"""
