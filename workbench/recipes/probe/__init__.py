"""Probes: measurements with their intervals.

Files:
    knowledge_rationale_eval.py  answers and rationales judged blind, by what they take
"""
