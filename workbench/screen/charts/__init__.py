"""A project's figures as charts, for the Dashboard and the report.

Files:
    chart.py           one figure: what it says, its rows, how Plotly draws them
    lineage_chart.py   which evaluation came from which snapshot
    overview.py        a project at a glance: the dashboard's figures
    project_charts.py  charts of questions, tools and people
    reason_charts.py   charts of flags, their precision, whose errors wrong answers are
    sections.py        all figures in sections, as pages show them
    system_charts.py   charts of systems and what teaching brought
    trust_charts.py    charts of what can be believed: differences, probes, blind ratings
    validation_chart.py  accuracy while students learn
"""
