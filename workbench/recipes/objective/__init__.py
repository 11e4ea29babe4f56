"""Objectives: losses over a student's outputs, one file for one paper.

Files:
    aux_embed.py  states of the picture that know what a tool says
    dual_head.py  one head for what people accepted, one for what the teacher says
    lelp.py       pseudo-subclasses of few answers, by the teacher's embeddings
    switch_kd.py  differences of the highest logits; the teacher behind the student's eyes
"""
