"""Programs of many shapes, each with its world and question: what the writers are tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from world import Thing

from workbench.boxes import Box


def thing(name: str, x: float, y: float, w: float = 80, h: float = 60, **more: object) -> Thing:
    return Thing(name, Box(x, y, x + w, y + h), **more)  # type: ignore[arg-type]


BUSES = (
    thing("bus", 80, 225, 145, 124, properties=("red",), color="red"),
    thing("bus", 212, 237, 116, 95, properties=("yellow",), color="yellow"),
    thing("bus", 298, 237, 129, 104, properties=("yellow",), color="yellow"),
)
STREET = (
    thing("dog", 20, 300),
    thing("dog", 120, 310),
    thing("dog", 500, 300),
    thing("bus", 300, 200, 150, 120, color="red"),
)
ZOO = (
    thing("dog", 20, 300),
    thing("cat", 200, 100),
    thing("bird", 400, 50, 40, 40),
    thing("bird", 520, 260, 40, 40),
    thing("bus", 300, 300, 150, 120),
)
NOTHING: tuple[Thing, ...] = ()


@dataclass(frozen=True)
class Shape:
    """One program to tell."""

    name: str
    body: str
    things: Sequence[Thing] = STREET
    question: str = "What is it?"
    says: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()


SHAPES = (
    Shape(
        "paper",
        """
buses = image_patch.find("bus")
count = 0
for bus in buses:
    if not bus.verify_property("bus", "yellow"):
        count += 1
print(f"{count} buses are not yellow")
return formatting_answer(count)
""",
        BUSES,
        "How many buses are not yellow?",
    ),
    Shape(
        "count",
        'dogs = image_patch.find("dog")\nprint(f"I found {len(dogs)} dogs")\nreturn formatting_answer(len(dogs))',
        STREET,
        "How many dogs are there?",
    ),
    Shape(
        "count inline",
        'return formatting_answer(len(image_patch.find("dog")))',
        STREET,
        "How many dogs do you see?",
    ),
    Shape(
        "count none",
        'return formatting_answer(len(image_patch.find("cat")))',
        STREET,
        "How many cats are there?",
    ),
    Shape(
        "count by asking",
        'return formatting_answer(image_patch.visual_question_answering("How many dogs are there?"))',
        STREET,
        "How many dogs are there?",
        {"How many dogs are there?": "3"},
    ),
    Shape(
        "exists yes",
        'return formatting_answer(image_patch.exists("dog"))',
        STREET,
        "Is there a dog in the picture?",
    ),
    Shape(
        "exists no",
        'return formatting_answer(image_patch.exists("cat"))',
        STREET,
        "Is there a cat in the picture?",
    ),
    Shape(
        "exists by count",
        'cats = image_patch.find("cat")\nreturn formatting_answer("yes" if len(cats) > 0 else "no")',
        STREET,
        "Are there any cats?",
    ),
    Shape(
        "exists by asking",
        'return formatting_answer(image_patch.visual_question_answering("Is there a dog?"))',
        STREET,
        "Somewhere in this scene, would a viewer come across a dog?",
        {"Is there a dog?": "yes"},
    ),
    Shape(
        "relation",
        """
dog = image_patch.find("cat")[0]
bus = image_patch.find("bus")[0]
return formatting_answer(dog.horizontal_center < bus.horizontal_center)
""",
        ZOO,
        "Is the cat left of the bus?",
    ),
    Shape(
        "relation no",
        """
dogs = image_patch.find("dog")
buses = image_patch.find("bus")
if len(dogs) == 0 or len(buses) == 0:
    return formatting_answer("no")
return formatting_answer(dogs[0].vertical_center > buses[0].vertical_center)
""",
        STREET,
        "Is the dog above the bus?",
    ),
    Shape(
        "relation missing",
        """
dogs = image_patch.find("cat")
buses = image_patch.find("bus")
if len(dogs) == 0 or len(buses) == 0:
    return formatting_answer("no")
return formatting_answer(dogs[0].vertical_center > buses[0].vertical_center)
""",
        STREET,
        "Is the cat above the bus?",
    ),
    Shape(
        "compare",
        """
dogs = image_patch.find("dog")
buses = image_patch.find("bus")
return formatting_answer(len(dogs) > len(buses))
""",
        STREET,
        "Are there more dogs than buses?",
    ),
    Shape(
        "compare counts",
        """
count_a = len(image_patch.find("bus"))
count_b = len(image_patch.find("dog"))
return formatting_answer("yes" if count_a == count_b else "no")
""",
        STREET,
        "If you counted both, would buses and dogs come out equal?",
    ),
    Shape(
        "count relation",
        """
bus = image_patch.find("bus")[0]
dogs = [dog for dog in image_patch.find("dog") if dog.horizontal_center < bus.horizontal_center]
print(f"{len(dogs)} dogs are left of the bus")
return formatting_answer(len(dogs))
""",
        STREET,
        "How many dogs are left of the bus?",
    ),
    Shape(
        "count relation loop",
        """
bus = image_patch.find("bus")[0]
count = 0
for dog in image_patch.find("dog"):
    if dog.horizontal_center > bus.horizontal_center:
        count += 1
return formatting_answer(count)
""",
        STREET,
        "As for dogs on the right-hand side of the bus, how many can be made out?",
    ),
    Shape(
        "count relation none",
        """
bus = image_patch.find("bus")[0]
count = 0
for dog in image_patch.find("dog"):
    if dog.vertical_center > bus.vertical_center:
        count += 1
return formatting_answer(count)
""",
        STREET,
        "How many dogs are above the bus?",
    ),
    Shape(
        "leftmost",
        """
objects = image_patch.find("object")
leftmost = min(objects, key=lambda thing: thing.horizontal_center)
print(f"the leftmost object is at {leftmost.left}")
return formatting_answer(leftmost.visual_question_answering("What is this?"))
""",
        ZOO,
        "What is the leftmost object?",
    ),
    Shape(
        "largest sorted",
        """
animals = image_patch.find("animal")
animals = sorted(animals, key=lambda animal: animal.width * animal.height, reverse=True)
return formatting_answer(animals[0].visual_question_answering("What animal is this?"))
""",
        ZOO,
        "Which animal is the largest?",
    ),
    Shape(
        "nearest",
        """
bus = image_patch.find("bus")[0]
animals = [animal for animal in image_patch.find("animal") if animal.left != bus.left]
best = min(animals, key=lambda animal: distance(animal, bus))
return formatting_answer(best.visual_question_answering("What animal is this?"))
""",
        ZOO,
        "What is the animal nearest to the bus?",
    ),
    Shape(
        "farthest by centres",
        """
bus = image_patch.find("bus")[0]
objects = [thing for thing in image_patch.find("object") if thing.left != bus.left]
best = max(objects, key=lambda thing: (thing.horizontal_center - bus.horizontal_center) ** 2 + (thing.vertical_center - bus.vertical_center) ** 2)
return formatting_answer(best.visual_question_answering("What is this?"))
""",
        ZOO,
        "What is the object farthest from the bus?",
    ),
    Shape(
        "category by relation",
        """
bus = image_patch.find("bus")[0]
for animal in image_patch.find("animal"):
    if animal.horizontal_center < bus.horizontal_center:
        return formatting_answer(animal.visual_question_answering("What animal is this?"))
return formatting_answer("none")
""",
        ZOO,
        "What animal is left of the bus?",
    ),
    Shape(
        "category by filter",
        """
cat = image_patch.find("cat")[0]
animals = [animal for animal in image_patch.find("animal") if animal.vertical_center > cat.vertical_center]
return formatting_answer(animals[0].visual_question_answering("What animal is this?"))
""",
        ZOO,
        "Which animal is above the cat?",
    ),
    Shape(
        "knowledge count",
        """
count = 0
for animal in image_patch.find("animal"):
    name = animal.visual_question_answering("What animal is this?")
    answer = llm_query(f"Can a {name} fly? Answer yes or no.")
    print(f"{name}: {answer}")
    if "yes" in answer.lower():
        count += 1
return formatting_answer(count)
""",
        ZOO,
        "How many of the animals here can fly?",
    ),
    Shape(
        "knowledge exists",
        """
for thing in image_patch.find("object"):
    name = thing.visual_question_answering("What is this?")
    if llm_query(f"Is it true that a {name} has wheels? Answer yes or no.") == "yes":
        return formatting_answer("yes")
return formatting_answer("no")
""",
        ZOO,
        "Is there an object here that has wheels?",
    ),
    Shape(
        "knowledge property",
        """
for animal in image_patch.find("animal"):
    if animal.verify_property("animal", "can fly"):
        return formatting_answer(animal.visual_question_answering("What animal is this?"))
return formatting_answer("none")
""",
        (thing("dog", 20, 300), thing("bird", 400, 50, properties=("can fly",))),
        "Which animal can fly?",
    ),
    Shape(
        "choice present",
        """
for option in ["cat", "bus", "boat", "apple"]:
    if image_patch.exists(option):
        return formatting_answer(option)
return formatting_answer("none")
""",
        STREET,
        "Which of these is in the picture?",
        choices=("cat", "bus", "boat", "apple"),
    ),
    Shape(
        "choice absent",
        """
for option in ["dog", "bus", "boat", "apple"]:
    found = image_patch.find(option)
    print(f"{option}: {len(found)}")
    if len(found) == 0:
        return formatting_answer(option)
""",
        STREET,
        "Which of these is not in the picture?",
        choices=("dog", "bus", "boat", "apple"),
    ),
    Shape(
        "choice by asking",
        """
for option in ["cat", "bus"]:
    answer = image_patch.visual_question_answering(f"Is there a {option}?")
    if answer == "yes":
        return formatting_answer(option)
""",
        STREET,
        "Which of these do you see?",
        {"Is there a bus?": "yes", "Is there a cat?": "no"},
        choices=("cat", "bus"),
    ),
    Shape(
        "any",
        """
dogs = image_patch.find("dog")
bus = image_patch.find("bus")[0]
return formatting_answer(any(dog.horizontal_center > bus.horizontal_center for dog in dogs))
""",
        STREET,
        "Is there a dog right of the bus?",
    ),
    Shape(
        "all",
        """
buses = image_patch.find("bus")
return formatting_answer(all(bus.verify_property("bus", "yellow") for bus in buses))
""",
        BUSES,
        "Are all buses yellow?",
    ),
    Shape(
        "helper",
        """
def is_left(a, b):
    return a.horizontal_center < b.horizontal_center

def execute_command(image):
    image_patch = ImagePatch(image)
    bus = image_patch.find("bus")[0]
    left = []
    for dog in image_patch.find("dog"):
        if is_left(dog, bus):
            left.append(dog)
    return formatting_answer(len(left))
""",
        STREET,
        "How many dogs are left of the bus?",
    ),
    Shape(
        "color of largest",
        """
buses = image_patch.find("bus")
largest = max(buses, key=lambda bus: bus.width * bus.height)
color = largest.visual_question_answering("What color is this bus?")
return formatting_answer(color)
""",
        BUSES,
        "What color is the largest bus?",
    ),
    Shape(
        "depth",
        """
buses = image_patch.find("bus")
nearest = min(buses, key=lambda bus: bus.compute_depth())
return formatting_answer(nearest.best_text_match(["red", "yellow"], prefix="bus"))
""",
        (
            thing("bus", 80, 225, depth=3.5, color="red"),
            thing("bus", 300, 225, depth=9.25, color="yellow"),
        ),
        "Which bus is nearer to the camera, the red one or the yellow one?",
    ),
    Shape(
        "sign",
        'sign = image_patch.find("sign")[0]\nreturn formatting_answer(sign.read_text())',
        (thing("sign", 300, 50, text="EXIT ONLY"),),
        "What is written on the sign?",
    ),
    Shape(
        "year",
        """
car = image_patch.find("car")[0]
company = car.visual_question_answering("Which company made this car?")
return formatting_answer(llm_query(f"In what year was {company} founded? Answer with the year."))
""",
        (thing("car", 300, 50, says={"Which company made this car?": "Ford"}),),
        "In what year was the company founded?",
        {"In what year was Ford founded? Answer with the year.": "1903"},
    ),
    Shape(
        "division",
        """
apples = image_patch.find("apple")
dogs = image_patch.find("dog")
return formatting_answer(len(apples) // len(dogs))
""",
        (
            *STREET[:2],
            thing("apple", 200, 20),
            thing("apple", 300, 20),
            thing("apple", 400, 20),
            thing("apple", 500, 20),
        ),
        "How many apples can each dog have?",
    ),
    Shape(
        "both",
        'a = image_patch.exists("dog")\nb = image_patch.exists("cat")\nreturn formatting_answer(a and b)',
        STREET,
        "Are there both dogs and cats?",
    ),
    Shape(
        "unused",
        'cats = image_patch.find("cat")\ndogs = image_patch.find("dog")\nreturn formatting_answer(len(dogs))',
        STREET,
        "How many dogs are there?",
    ),
    Shape(
        "failed",
        'cat = image_patch.find("cat")[0]\nreturn formatting_answer(cat.visual_question_answering("What is this?"))',
        STREET,
        "What is this?",
    ),
    Shape(
        "hat",
        """
dog = image_patch.find("dog")[0]
hats = dog.find("hat")
return formatting_answer(len(hats))
""",
        STREET,
        "How many hats does the dog wear?",
    ),
    Shape(
        "doing",
        'man = image_patch.find("man")[0]\nreturn formatting_answer(man.visual_question_answering("What is the man holding?"))',
        (thing("man", 100, 100, says={"What is the man holding?": "an umbrella"}),),
        "What is the man holding?",
    ),
    Shape(
        "labels",
        """
animals = image_patch.find("animal")
flying = [a for a in animals if a.label in ("bird", "butterfly")]
return formatting_answer(len(flying))
""",
        ZOO,
        "How many animals can fly?",
    ),
    Shape(
        "many",
        """
cars = image_patch.find("car")
left = [car for car in cars if car.horizontal_center < image_patch.horizontal_center]
return formatting_answer(len(left))
""",
        tuple(thing("car", 10 + 30 * i, 100, 20, 20) for i in range(20)),
        "How many cars are in the left half?",
    ),
)
