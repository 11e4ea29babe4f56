"""Whether a program is right, or only its answer; whose error a wrong one is.

Files:
    blame.py           whose error a wrong answer is: the program's or the tools'
    counterfactual.py  programs run again where tools say something else
    credit.py          what each tool call of a run is worth, by people and by the checks
    credit_weight.py   that credit as the weight of an example in training
    exact_tools.py     exact tools on drawn scenes
    measure_checks.py  how right the checks for wrong reasons are
    mutate.py          wrong programs made of right ones
    new_scenes.py      exact answers of a question's form, and other scenes for it
    perturb.py         ways to change what the tools of a run said
    suspicion.py       checks for wrong reasons, and suspicion
    transfer.py        is a program right on other scenes
"""
