"""Snapshots: immutable sets of training examples, each a folder that is complete by itself.

Reading and writing need pyarrow and Pillow alone, so that a bare machine with a GPU can train on
one.

Files:
    example.py   one row: what a student is to learn from a question
    exports/     snapshots for other tools
    folder.py    written once, checked whenever read
    imports.py   decisions read from Argilla and Label Studio files
    manifest.py  what is in, what is out, and the hash
    pair.py      one preference: what is said, and what is said instead
    pictures.py  fingerprints, look-alikes, train and val by picture
"""

from workbench.boxes_in_text import NamedBox, boxes_in
from workbench.snapshot.example import SPLITS, Example, Split
from workbench.snapshot.folder import Snapshot, write
from workbench.snapshot.manifest import Content, LeftOut, Manifest
from workbench.snapshot.pair import Pair
from workbench.snapshot.pictures import NEAR, Picture, alike, fingerprint, sides

__all__ = [
    "NEAR",
    "SPLITS",
    "Content",
    "Example",
    "LeftOut",
    "Manifest",
    "NamedBox",
    "Pair",
    "Picture",
    "Snapshot",
    "Split",
    "alike",
    "boxes_in",
    "fingerprint",
    "sides",
    "write",
]
