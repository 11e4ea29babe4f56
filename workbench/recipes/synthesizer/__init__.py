"""Synthesizers: new questions from pictures and traces.

Files:
    code_grounded.py    drawn pictures whose answers are exact
    region_to_image.py  questions about small places, answered by looking closely
"""
