"""More programs: the Python that language models write around the API."""

from __future__ import annotations

PROGRAMS: dict[str, str] = {}


def _add(name: str, source: str) -> None:
    PROGRAMS[name] = source.strip("\n") + "\n"


_add(
    "helper_functions",
    """
import math

def area(patch):
    return patch.width * patch.height

def execute_command(image):
    def is_large(patch, share=0.01):
        nonlocal asked
        asked += 1
        return area(patch) / area(whole) > share
    asked = 0
    whole = ImagePatch(image)
    large = [p for p in whole.find("cup") if is_large(p)]
    side = math.sqrt(sum(area(p) for p in large))
    return f"{len(large)} {asked} {side:.2f}"
""",
)
_add(
    "small_class",
    '''
class Finder:
    """Counts what it was asked."""
    limit = 3

    def __init__(self, patch):
        self.patch = patch
        self.asked = {}

    def count(self, name):
        if name not in self.asked:
            self.asked[name] = len(self.patch.find(name))
        return self.asked[name]

    def __repr__(self):
        return f"Finder({self.asked})"

def execute_command(image):
    finder = Finder(ImagePatch(image))
    total = finder.count("cup") + finder.count("cup") + finder.count("mug")
    print(finder)
    return formatting_answer(min(total, Finder.limit))
''',
)
_add(
    "map_filter",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    plates = image_patch.find("plate")
    colours = list(map(lambda p: p.simple_query("What colour?"), plates))
    red = list(filter(lambda p: p.verify_property("plate", "red"), plates))
    for name in map(str.upper, colours):
        print(name)
    return f"{sorted(set(colours), key=str.lower)} {len(red)}"
""",
)
_add(
    "map_interleaved",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    for i, text in enumerate(map(lambda p: p.image_caption(), image_patch.find("tree"))):
        print(i, text, image_patch.exists(text))
        if i == 1:
            break
    else:
        return "short"
    return "long"
""",
)
_add(
    "dict_counting",
    """
from collections import Counter, defaultdict

def execute_command(image):
    image_patch = ImagePatch(image)
    by_colour = defaultdict(list)
    for fruit in image_patch.find("fruit"):
        by_colour[fruit.simple_query("Which colour is it?")].append(fruit)
    counts = Counter({k: len(v) for k, v in by_colour.items()})
    if not counts:
        return "none"
    colour, n = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))[0]
    return f"{colour}: {n}"
""",
)
_add(
    "try_except",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    try:
        first = image_patch.find("no unicorn")[0]
        return first.simple_query("What?")
    except IndexError as error:
        print("missing:", error)
        try:
            return str(int(image_patch.simple_query("How many?")) + 1)
        except (ValueError, TypeError):
            return "unknown"
        finally:
            print("done")
""",
)
_add(
    "zip_pairs",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    left, right = image_patch.find("shoe"), image_patch.find("sock")
    pairs = [(a, b) for a, b in zip(left, right) if distance(a, b) < 100]
    near = sum(1 for a in left for b in right if a.overlaps(b))
    return f"{len(pairs)} of {near}"
""",
)
_add(
    "while_scan",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    step, x, found = image_patch.width // 4, 0, []
    while x < image_patch.width:
        strip = image_patch.crop(x, 0, x + step, image_patch.height)
        found.append(len(strip.find("post")))
        x += step
        if sum(found) > 6:
            break
    else:
        found.append(-1)
    return formatting_answer(found)
""",
)
_add(
    "bare_body",
    """
image_patch = ImagePatch(image)
dogs = image_patch.find("dog")
if len(dogs) > 1:
    return formatting_answer(len(dogs))
return "few"
""",
)
_add(
    "ternaries_and_slices",
    """
def execute_command(image):
    p = ImagePatch(image)
    top = sorted(p.find("cloud"), key=lambda c: -c.vertical_center)[:3]
    names = [c.label or "?" for c in top]
    del names[1:1] if False else None
    return ("; ".join(names) if names else "clear") + f" {top[-1].upper if top else 0:>6}"
""".replace("    del names[1:1] if False else None\n", ""),
)
_add(
    "sum_generator_floats",
    """
def execute_command(image):
    p = ImagePatch(image)
    depths = [c.compute_depth() for c in p.find("rock")]
    mean = sum(depths) / len(depths) if depths else 0.0
    spread = max((abs(d - mean) for d in depths), default=0)
    return f"{round(mean, 2)} {round(spread, 1)} {round(2.675, 2)}"
""",
)
_add(
    "string_methods",
    """
def execute_command(image):
    p = ImagePatch(image)
    words = p.image_caption().lower().replace(",", "").split()
    clean = [w.strip(".").capitalize() for w in words if w.isalpha()]
    print(" ".join(clean).title(), "a" in words, "{:>8}|{:<5}".format("x", 3))
    return "-".join(sorted(clean, key=len, reverse=True)) or "empty"
""",
)
_add(
    "methods_as_values",
    """
def execute_command(image):
    p = ImagePatch(image)
    ask = p.simple_query
    out = []
    add = out.append
    for q in ["one?", "two?"]:
        add(ask(q))
    names = list(map(p.exists, ["cup", "dog"]))
    return formatting_answer(out + names)
""",
)
_add(
    "nested_generators",
    """
def execute_command(image):
    p = ImagePatch(image)
    rooms = [p.crop(0, 0, 300, 300), p.crop(300, 0, 640, 300)]
    found = any(c.verify_property("cup", "blue") for room in rooms if room.exists("table") for c in room.find("cup"))
    first = next((c.left for room in rooms for c in room.find("cup") if c.exists("handle")), -1)
    return f"{found} {first}"
""",
)
_add(
    "walrus",
    """
def execute_command(image):
    p = ImagePatch(image)
    if (n := len(p.find("cat"))) > 1 and (m := len(p.find("mouse"))) < n:
        return f"{n} {m}"
    return f"{n}"
""",
)
_add(
    "reversed_enumerate",
    """
def execute_command(image):
    p = ImagePatch(image)
    items = p.find("book")
    for i, b in reversed(list(enumerate(items, start=1))):
        if b.exists("title"):
            return str(i)
    for b in reversed(items):
        items.remove(b)
    return f"none {len(items)}"
""",
)
_add(
    "recursion",
    """
def execute_command(image):
    def split(patch, depth):
        if depth == 0 or patch.width < 100:
            return len(patch.find("ant"))
        half = patch.width // 2
        return split(patch.crop(0, 0, half, patch.height), depth - 1) + split(patch.crop(half, 0, patch.width, patch.height), depth - 1)
    return formatting_answer(split(ImagePatch(image), 2))
""",
)
_add(
    "argument_names",
    """
def execute_command(image):
    p = ImagePatch(image)
    a = p.find(object_name="cup")
    b = p.find(name="mug")
    c = p.verify_property(object_name="cup", property="red")
    d = p.best_text_match(option_list=["a", "b"])
    e = p.verify_property("cup", attribute="blue")
    return formatting_answer([len(a), len(b), c, d, e])
""",
)
