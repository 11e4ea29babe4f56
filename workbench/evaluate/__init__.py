"""How good an answer, a trace, a student is: official scorers, statistics, checks and probes; no store, no screen.

Files:
"""
