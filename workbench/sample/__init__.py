"""Programs for questions: the prompt, and samplers in process and behind endpoints."""
