"""Words that a rationale may use without naming anything: they need no support in a trace.

Grammar, places, comparisons, and the few verbs and nouns of the form itself.  No colour, no
material, no name of a thing is among them: those are claims.
"""

from __future__ import annotations

_WORDS = """
    a an the this that these those it its they them their there here and or but nor so as if then
    than because since while where which who what when whose how each every either neither both all
    any some none no not cannot of in on at to from by for with without within into onto between
    among over under about around across along is are was were be been being am has have had having
    do does did done can could will would may might must should thus therefore hence also too only
    just still even again left right above below leftmost rightmost topmost bottommost top bottom
    upper lower lowest highest higher middle center centre side edge half part region corner front
    behind beside near nearer nearest next far farther farthest further furthest close closer
    closest inside outside away apart beyond large larger largest small smaller smallest big bigger
    biggest tall taller tallest short shorter shortest wide wider widest narrow narrower narrowest
    more most less least fewer fewest many much few same different other others equal equally number
    count counts total times first second third last one ones two rest remaining nothing image
    picture photo scene box boxes object objects thing things item items text word words answer
    answers question program result camera depth distance position area size pair pairs piece pieces
    see sees seen show shows shown find finds found counted contain contains contained visible
    present absent look looks looking lie lies lying stand stands standing locate located describe
    described describes say says said read reads written call called know known knowledge common
    general generally give gives given according mean means meaning name named names true false yes
    match matches best well considered compare compared overlap overlaps overlapping satisfy
    satisfies fit fits reach reached exactly altogether overall respectively itself out up down off
    alone together comparison following based reason because failed line enlarged made turned
    degrees clockwise counterclockwise drawn numbered point put raised lowered cut
"""

STOCK = frozenset(_WORDS.split())
"""The words, in lower case."""
