"""Transforms: from one student to another.

Files:
    quant_bits.py  fewer bits for each weight
"""
