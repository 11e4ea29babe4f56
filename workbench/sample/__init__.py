"""Programs for questions: the prompt, and samplers in process and behind endpoints.

Files:
    again.py     what a writer is told of a program that did not answer
    dice.py      tokens drawn by numbers that are given
    drawings.py  which drawings of its programs a question keeps
    endpoint.py  programs from an OpenAI-compatible endpoint
    examples.py  worked examples, and which to show for a question
    extract.py   the program in what a model said
    file.py      programs that were written elsewhere, from a file
    local.py     programs from a model in this process
    outline.py   a program without the names of its variables and its prints
    prompt.py    the prompt: API, guidelines, examples, question
    seeds.py     the seed of each sample
"""
