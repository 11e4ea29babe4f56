"""Learned models behind small interfaces: language models, endpoints, detector, students."""
