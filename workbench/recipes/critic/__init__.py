"""Critics: how likely people are to accept a run.

Files:
    trained_critic.py  learnt from the texts and facts of decided runs
"""
