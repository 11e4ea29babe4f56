"""The words that the small student need not spell: what is there, and what is said about it."""

from __future__ import annotations

from workbench.english import plural
from workbench.models.coco import CLASSES
from workbench.tasks.collage.catalogue import CATEGORIES, KINDS

_SAID = """
. , ; : ? ! 's yes no not nothing unknown none neither all both each only
the The a A an An there There this that it they them one ones other others another
is are be was has have can does do
Thus Of For So In answer image picture shows show part region object objects thing things
what which who where how many much number total count counted
at in on of to by from with without as than and or but so for beside between among next near
left right above below under over higher lower top bottom middle center side
leftmost rightmost topmost lowest highest nearest closest farthest furthest
large larger largest big bigger biggest small smaller smallest tall taller tallest wide wider
same different more most fewer fewest less least first second third last equal exactly
wheels legs four fly eaten water live lives living cut red orange yellow green blue purple pink
brown black white grey gray color colour made used food wings
item items piece pieces pair pairs described best cannot found here true
farther nearer narrower egg eggs lay lays laying tree trees grow grows drink travel hold holds game
games music electricity need needs work works cutting make makes leg exist exists
one two three four five six seven eight nine ten
"""
NUMBERS = 21
"""Numbers from 0 on that are one word."""


def known_words() -> list[str]:
    """Every such word once: the names of things in both numbers, kinds, numbers, and the rest."""
    names = [*CATEGORIES, *CLASSES, *KINDS]
    words = [word for name in names for form in (name, plural(name)) for word in form.split()]
    numbers = [str(number) for number in range(NUMBERS)]
    return list(dict.fromkeys([*words, *numbers, *_SAID.split()]))
