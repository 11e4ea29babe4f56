"""Tools: one more thing that programs may ask, one file for one paper.

Files:
    open_attributes.py  how well a word describes what a patch shows
"""
