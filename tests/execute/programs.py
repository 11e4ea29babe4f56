"""Programs in the style of the papers' prompts (ViperGPT's and VPD's), written for these tests."""

from __future__ import annotations

from more_programs import PROGRAMS as MORE

PROGRAMS: dict[str, str] = {}


def _add(name: str, source: str) -> None:
    PROGRAMS[name] = source.strip("\n") + "\n"


_add(
    "viper_muffins",
    """
def execute_command(image) -> str:
    # How many muffins can each kid have for it to be fair?
    image_patch = ImagePatch(image)
    muffin_patches = image_patch.find("muffin")
    kid_patches = image_patch.find("kid")
    if len(kid_patches) == 0:
        return "0"
    return str(len(muffin_patches) // len(kid_patches))
""",
)
_add(
    "viper_drink",
    """
def execute_command(image) -> str:
    image_patch = ImagePatch(image)
    drink_patches = image_patch.find("drink")
    if len(drink_patches) == 0:
        return image_patch.simple_query("Which drink is it?")
    drink_patch = drink_patches[0]
    drink_name = drink_patch.simple_query("What is this?")
    zero_alcohol = drink_patch.llm_query(f"Is {drink_name} without alcohol?", long_answer=False)
    return bool_to_yesno("yes" in zero_alcohol.lower())
""",
)
_add(
    "viper_left_of",
    """
from image_patch import ImagePatch, bool_to_yesno

def execute_command(image) -> str:
    image_patch = ImagePatch(image)
    table_patches = image_patch.find("table")
    lamp_patches = image_patch.find("lamp")
    if not table_patches or not lamp_patches:
        return "no"
    table_patch = table_patches[0]
    for lamp_patch in lamp_patches:
        if lamp_patch.horizontal_center < table_patch.horizontal_center:
            return "yes"
    return bool_to_yesno(False)
""",
)
_add(
    "viper_lambda_sort",
    """
def execute_command(image) -> str:
    image_patch = ImagePatch(image)
    bowls = image_patch.find("bowl")
    bowls.sort(key=lambda bowl: distance(bowl, image_patch))
    people = sorted(image_patch.find("person"), key=lambda p: p.compute_depth(), reverse=True)
    if len(people) == 0 or len(bowls) == 0:
        return image_patch.simple_query("What is in the bowl?")
    return people[0].best_text_match(["red", "blue", "green"], prefix="person wearing")
""",
)
_add(
    "viper_crop_halves",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    upper_half = image_patch.crop(image_patch.left, image_patch.vertical_center, image_patch.right, image_patch.upper)
    lower_half = image_patch.crop(0, 0, image_patch.width, image_patch.height // 2)
    more = len(upper_half.find("bird")) > len(lower_half.find("bird"))
    return "top" if more else "bottom"
""",
)
_add(
    "viper_any_verify",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    cars = image_patch.find("car")
    return bool_to_yesno(any(car.verify_property("car", "red") for car in cars))
""",
)
_add(
    "viper_all_not",
    """
def execute_command(image):
    p = ImagePatch(image)
    return formatting_answer(not all(not c.exists("wheel") for c in p.find("cart") + p.find("wagon")))
""",
)
_add(
    "viper_next_default",
    """
def execute_command(image):
    p = ImagePatch(image)
    dogs = p.find("dog")
    sleeping = next((d for d in dogs if d.verify_property("dog", "sleeping")), None)
    if sleeping is None:
        return "none"
    return sleeping.simple_query("What colour is the dog?")
""",
)
_add(
    "viper_best_image_match",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    player_patches = image_patch.find("player")
    if not player_patches:
        return "nobody"
    best = best_image_match(player_patches, ["goalkeeper"])
    index = best_image_match(list_patches=player_patches, content=["striker"], return_index=True)
    return f"{player_patches.index(best)} {index}"
""",
)
_add(
    "viper_coerce",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    counts = []
    for shelf in image_patch.find("shelf"):
        answer = shelf.simple_query("How many books are there?")
        number = coerce_to_numeric(answer)
        if isinstance(number, (int, float)):
            counts.append(number)
    return str(sum(counts))
""",
)
_add(
    "viper_overlap_loop",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    hats = image_patch.find("hat")
    people = image_patch.find("person")
    wearing = 0
    for person in people:
        if any([person.overlaps_with(h.left, h.lower, h.right, h.upper) for h in hats]):
            wearing += 1
    return formatting_answer(wearing)
""",
)
_add(
    "viper_published_file",
    """
from image_patch import ImagePatch
from image_patch import distance
from PIL import Image
image = Image.open('/data/images/ex_75.png').convert('RGB')
def execute_command(image) -> str:
    image_patch = ImagePatch(image)
    kid_patches = image_patch.find("kid")
    glass_patches = image_patch.find("magnifying glass")
    for kid in kid_patches:
        for glass in glass_patches:
            if glass.overlaps_with(kid.left, kid.lower, kid.right, kid.upper):
                return "yes"
    return "no"
answer = execute_command(image)
""".replace("image = Image.open('/data/images/ex_75.png').convert('RGB')\n", "").replace(
        "answer = execute_command(image)\n", ""
    ),
)
_add(
    "vpd_buses",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    bus_patches = image_patch.find("bus")
    print(f"There are {len(bus_patches)} buses.")
    count = 0
    for bus_patch in bus_patches:
        is_yellow = bus_patch.visual_question_answering("Is the bus yellow?")
        print("Is it yellow?", is_yellow)
        if is_yellow == "no":
            count += 1
    return formatting_answer(count)
""",
)
_add(
    "vpd_depth",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    chairs = image_patch.find("chair")
    if len(chairs) == 0:
        return formatting_answer("none")
    nearest = min(chairs, key=lambda chair: chair.compute_depth())
    farthest = max(chairs, key=lambda chair: chair.compute_depth())
    print("nearest", nearest, "farthest", farthest)
    return formatting_answer(nearest == farthest)
""",
)
_add(
    "vpd_expand",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    ball = image_patch.find("ball")
    if len(ball) > 0:
        around = ball[0].expand_patch_with_surrounding()
        print(around, around.width, around.height)
        return formatting_answer(around.visual_question_answering("Who plays with the ball?"))
    return formatting_answer(image_patch.image_caption())
""",
)
_add(
    "vpd_language",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    animal = image_patch.visual_question_answering(question="What animal is this?")
    answer = language_question_answering(f"Where does a {animal} live?")
    return formatting_answer(answer)
""",
)
_add(
    "vpd_leftmost",
    """
def execute_command(image):
    image_patch = ImagePatch(image)
    boxes = image_patch.find("box")
    boxes = sorted(boxes, key=lambda box: box.horizontal_center)
    if not boxes:
        return formatting_answer("nothing")
    leftmost, *others = boxes
    return formatting_answer(f"{leftmost.left}-{len(others)}")
""",
)

PROGRAMS |= MORE
