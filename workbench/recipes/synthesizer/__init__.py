"""Synthesizers: new questions from pictures and traces.

Files:
    region_to_image.py  questions about small places, answered by looking closely
"""
