"""The step player for anybody's Gradio app.

    from workbench.blocks import PlayedRun, StepPlayer

Needs Gradio (the extra `app`); nothing of `app` itself.

Files:
    player.py  StepPlayer, a `gr.HTML` component, and what it shows
    static/    its script
"""

from workbench.blocks.player import PlayedRun, StepPlayer, played

__all__ = ["PlayedRun", "StepPlayer", "played"]
