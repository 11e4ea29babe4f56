"""Synthesizers: new questions from pictures and traces.

Files:
    code_grounded.py          drawn pictures whose answers are exact
    hindsight_relabel.py      the question that a wrong run did answer
    multihop_qa.py            a picture on one page and a fact on another
    region_to_image.py        questions about small places, answered by looking closely
    schema_labels.py          pictures without labels, labelled field by field
    socratic_subquestions.py  the steps of right programs, as questions of their own
"""
