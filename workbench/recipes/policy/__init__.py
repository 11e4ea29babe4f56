"""Policies: training by reward, one file for one paper.

Files:
    kepo.py  answers by their advantage, a teacher in right ones, hints where none is right
"""
