"""Transforms: from one student to another.

Files:
    domain_adapter.py    a tiny adapter from a few samples of one domain
    knowledge_prefix.py  facts of a domain, in a memory behind the student's eyes
    quant_bits.py        fewer bits for each weight
"""
