"""Training by reward, one file for one paper."""
