"""Objectives: losses over a student's outputs, one file for one paper.

Files:
    anchor_kl.py               stay close to the model that it began with
    aspect_bce.py              what a model says to yes-or-no questions of the picture
    aux_embed.py               states of the picture that know what a tool says
    concept_retention.py       what the labels say nothing about stays as it was
    coop_mask.py               states are matched within masks that both models agree on
    crop_bag.py                crops say together what the whole picture says
    delta_consistency.py       change one's mind where the teacher does
    dual_head.py               one head for what people accepted, one for what the teacher says
    latent_only.py             the teacher's state in place of its rationale
    lelp.py                    pseudo-subclasses of few answers, by the teacher's embeddings
    local_graph_reweight.py    neighbourhoods of important places
    masked_feature.py          a part of the picture is seen, and all of it is known
    masked_graph.py            hidden places are rebuilt from those near by
    match_then_align.py        a teacher's vectors first, then pictures find their sentences
    multi_format_rationale.py  the answer in words, as a program and as an equation
    multi_granularity.py       answer, step and token, with and without a person's word
    multilayer_repr.py         several layers at once, in distance and direction
    mutual_dml.py              two students that learn from each other
    nst_mmd.py                 neurons fire where the teacher's fire
    peer_selective.py          of two students the one that knows teaches
    prototype_kd.py            prototypes of a teacher of another task
    query_soft.py              places look their values up by the teacher's
    reward_augmented.py        a teacher's words and differentiable rewards
    similarity_map.py          which places of the picture look alike
    switch_kd.py               differences of the highest logits; the teacher behind own eyes
    token_graph.py             how places stand to one another
    vl_align_topk.py           the likeliest words and the view of the picture
"""
