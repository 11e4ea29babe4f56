"""Memories: corrections that come back into the prompt.

Files:
    correction_memory.py  the corrections of the questions that are most alike
"""
