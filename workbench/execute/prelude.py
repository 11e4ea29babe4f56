# mypy: ignore-errors
# ruff: noqa
# This file is TEXT for the sandbox: Monty runs it once per worker state, before any program.  Python never
# imports it.  It is written in the subset of Python that Monty has (no yield, no inheritance, no del).
#
# Names that begin with two underscores cannot occur in a program (check.py refuses them), so whatever is
# called `__x__` here is out of a program's reach.  The names without underscores at the end of the file
# replace builtins whose Monty version differs from Python's.
#
# `__vpd__(op, events, payload)` is the one host function: it suspends.  op 0 hands over buffered events,
# 1 asks a tool and gives (ok, value), 2 ends the run.  In a place where Monty cannot suspend (inside a native
# iteration) it raises NotImplementedError; the run is then marked and ends as unsupported, never silently.

# state: 0 steps, 1 current frame, 2 next frame, 3 events, 4 printed characters, 5 mark, 6 line site of the
# last event, 7 tool calls
__S__ = [0, 0, 1, [], 0, None, 0, 0]
__parents__ = {0: 0}
__b_next__ = next
__b_sorted__ = sorted
__b_min__ = min
__b_max__ = max
__b_sum__ = sum
__b_any__ = any
__b_all__ = all
__b_round__ = round
__b_iter__ = iter
__b_getattr__ = getattr
__b_hasattr__ = hasattr


def __flush__():
    events = __S__[3]
    if __S__[5] is not None:
        __stop__(__S__[5][0], __S__[5][1])
    if events:
        try:
            __vpd__(0, events, None)
            __S__[3] = []
        except NotImplementedError:
            pass


def __stop__(kind, message):
    if __S__[5] is None:
        __S__[5] = (kind, message)
    try:
        __vpd__(2, __S__[3], (kind, message))
    except NotImplementedError:
        pass
    raise RuntimeError(message)


def __step__(site, frame):
    __S__[0] = __S__[0] + 1
    __S__[1] = frame
    __S__[6] = site
    if __S__[5] is not None:
        __stop__(__S__[5][0], __S__[5][1])
    if __S__[0] > __MAX_STEPS__:
        __stop__("steps", "")


def __push__(event):
    __S__[3].append(event)
    if len(__S__[3]) >= __EVERY__:
        __flush__()


def __short__(v, depth):
    t = type(v)
    if v is None or t is bool or t is float:
        return v
    if t is int:
        if -9007199254740992 <= v <= 9007199254740992:
            return v
        return ("o", "int")
    if t is str:
        if len(v) <= 200:
            return v
        return ("s", len(v), v[:200])
    if t is ImagePatch:
        return ("p", v.__box__, v.__name__[0], v.__name__[1])
    if t is list or t is tuple or t is set or t is frozenset:
        if depth == 0:
            return ("c", t.__name__, len(v), None)
        items = []
        for x in v:
            if len(items) == 12:
                break
            items.append(__short__(x, depth - 1))
        return ("c", t.__name__, len(v), items)
    if t is dict:
        if depth == 0:
            return ("c", "dict", len(v), None)
        items = []
        for k in v:
            if len(items) == 12:
                break
            items.append((__short__(k, depth - 1), __short__(v[k], depth - 1)))
        return ("c", "dict", len(v), items)
    return ("o", t.__name__)


def __line__(site, frame, *values):
    __step__(site, frame)
    __push__((site, frame, [__short__(v, 3) for v in values]))


def __branch__(site, frame, test):
    __step__(site, frame)
    if test:
        __push__((site, frame, True))
        return True
    __push__((site, frame, False))
    return False


def __enter__(site, *values):
    parent = __S__[1]
    frame = __S__[2]
    __S__[2] = frame + 1
    __parents__[frame] = parent
    __step__(site, frame)
    __push__((site, frame, [__short__(v, 3) for v in values], parent))
    return frame


def __leave__(site, frame, value):
    __push__((site, frame, __short__(value, 3)))
    __S__[1] = __parents__[frame]
    return value


def __caught__(site, frame, error, raised):
    __step__(site, frame)
    if __S__[5] is not None:
        __stop__(__S__[5][0], __S__[5][1])
    __push__((site, frame, [type(error).__name__, str(error)[:500], raised]))


def __pack__(v, depth, count):
    """A value for the host: plain values, patches as tuples, containers by copy; everything else is refused."""
    count[0] = count[0] + 1
    if count[0] > __MAX_ITEMS__:
        raise ValueError("an argument holds more than " + str(__MAX_ITEMS__) + " values")
    if depth > __MAX_DEPTH__:
        raise ValueError("an argument is nested more than " + str(__MAX_DEPTH__) + " deep")
    t = type(v)
    if v is None or t is bool or t is float:
        return v
    if t is int:
        if -9223372036854775808 <= v <= 9223372036854775807:
            return v
        raise ValueError("an integer is too large to leave the program")
    if t is str:
        if len(v) > __MAX_TEXT__:
            raise ValueError("a text is longer than " + str(__MAX_TEXT__) + " characters")
        return v
    if t is ImagePatch:
        return ("p", v.__box__, v.__name__[0], v.__name__[1])
    if t is list:
        return ("l", [__pack__(x, depth + 1, count) for x in v])
    if t is tuple:
        return ("t", [__pack__(x, depth + 1, count) for x in v])
    if t is set or t is frozenset:
        return ("e", [__pack__(x, depth + 1, count) for x in v])
    if t is dict:
        return ("d", [(__pack__(k, depth + 1, count), __pack__(v[k], depth + 1, count)) for k in v])
    raise TypeError("a value of type " + t.__name__ + " cannot leave the program")


def __unpack__(v):
    if type(v) is not tuple:
        return v
    if v[0] == "p":
        return __patch__(v[1], v[2], v[3])
    if v[0] == "l":
        return [__unpack__(x) for x in v[1]]
    if v[0] == "t":
        return tuple([__unpack__(x) for x in v[1]])
    return {k: __unpack__(x) for k, x in v[1]}


def __ask__(tool, site, arguments):
    if __S__[5] is not None:
        __stop__(__S__[5][0], __S__[5][1])
    __S__[7] = __S__[7] + 1
    if site is None:
        site = -1 - __S__[6]
    else:
        __S__[6] = site
    packed = []
    count = [0]
    for name in arguments:
        packed.append((name, __pack__(arguments[name], 0, count)))
    try:
        answer = __vpd__(1, __S__[3], (tool, site, __S__[1], packed))
        __S__[3] = []
    except NotImplementedError:
        __stop__(
            "unsupported",
            "a tool is called where the sandbox cannot wait for it (inside a native iteration); write a for loop",
        )
    if answer[0]:
        return __unpack__(answer[1])
    raise RuntimeError(answer[1])


def __kind__(v, wanted):
    t = type(v)
    if wanted == "str":
        return t is str
    if wanted == "int":
        return t is int or t is bool
    if wanted == "float":
        return t is int or t is bool or t is float
    if wanted == "bool":
        return t is bool or t is int
    if wanted == "ImagePatch":
        return t is ImagePatch
    if wanted == "dict":
        return t is dict
    if wanted == "list":
        return t is list or t is tuple
    if t is list or t is tuple:
        inner = wanted[5:-1]
        for x in v:
            if not __kind__(x, inner):
                return False
        return True
    return False


def __bind__(spec, args, kwargs):
    """Arguments by parameter name, as Python binds them, checked against the declared types."""
    name = spec[0]
    parameters = spec[1]
    if len(args) > len(parameters):
        raise TypeError(
            name + "() takes " + str(len(parameters)) + " arguments but " + str(len(args)) + " were given"
        )
    bound = {}
    for i in range(len(args)):
        bound[parameters[i][0]] = args[i]
    for key in kwargs:
        target = None
        for p in parameters:
            if key == p[0] or (key in p[4] and target is None):
                target = p[0]
        if target is None:
            raise TypeError(name + "() got an unexpected keyword argument '" + key + "'")
        if target in bound:
            raise TypeError(name + "() got multiple values for argument '" + target + "'")
        bound[target] = kwargs[key]
    result = {}
    for p in parameters:
        if p[0] in bound:
            value = bound[p[0]]
            if type(value) is generator:
                value = __drain__(value)
            if not (__kind__(value, p[1]) or (p[5] and value is None)):
                raise TypeError(
                    name + "() argument '" + p[0] + "' must be " + p[1] + ", not " + type(value).__name__
                )
            result[p[0]] = value
        elif p[3]:
            raise TypeError(name + "() missing required argument: '" + p[0] + "'")
        else:
            result[p[0]] = p[2]
    return result


def __tool__(name, site, patch, args, kwargs):
    spec = __TOOLS__[name]
    if spec[0] == "best_image_match":
        return __best_image_match__(spec, site, args, kwargs)
    bound = __bind__(spec, args, kwargs)
    if spec[2]:
        arguments = {"patch": patch}
        for key in bound:
            arguments[key] = bound[key]
        return __ask__(spec[0], site, arguments)
    return __ask__(spec[0], site, bound)


def __best_image_match__(spec, site, args, kwargs):
    args = list(args)
    rest = {}
    index = False
    for key in kwargs:
        if key == "return_index":
            index = kwargs[key]
        else:
            rest[key] = kwargs[key]
    if len(args) == 3:
        index = args.pop()
    if len(args) > 1 and type(args[1]) is str:
        args[1] = [args[1]]
    if "content" in rest and type(rest["content"]) is str:
        rest["content"] = [rest["content"]]
    bound = __bind__(spec, args, rest)
    if len(bound["list_patches"]) == 0:
        return None
    best = __ask__(spec[0], site, bound)
    if index:
        return best
    return bound["list_patches"][best]


class __Picture__:
    def __init__(self, width, height):
        self.width = width
        self.height = height
        self.size = (width, height)

    def __repr__(self):
        return "<image " + str(self.width) + "x" + str(self.height) + ">"


def __clamp__(v, high):
    v = int(v)
    if v < 0:
        return 0
    if v > high:
        return high
    return v


def __patch__(box, label, score):
    return ImagePatch(__picture__, box[0], box[1], box[2], box[3], __name__=(label, score))


class ImagePatch:
    def __init__(self, image, left=None, lower=None, right=None, upper=None, __name__=(None, None)):
        if type(image) is ImagePatch:
            base = image.__box__
        elif type(image) is __Picture__:
            base = (0, 0, __picture__.width, __picture__.height)
        else:
            raise TypeError("ImagePatch() needs the image, not " + type(image).__name__)
        if left is None and lower is None and right is None and upper is None:
            box = base
        else:
            if left is None or lower is None or right is None or upper is None:
                raise TypeError("ImagePatch() needs all of left, lower, right and upper, or none")
            width = base[2] - base[0]
            height = base[3] - base[1]
            box = (
                base[0] + __clamp__(left, width),
                base[1] + __clamp__(lower, height),
                base[0] + __clamp__(right, width),
                base[1] + __clamp__(upper, height),
            )
        if box[2] <= box[0] or box[3] <= box[1]:
            raise ValueError("ImagePatch has no area")
        self.__box__ = box
        self.__name__ = __name__
        self.left = box[0]
        self.lower = box[1]
        self.right = box[2]
        self.upper = box[3]
        self.width = box[2] - box[0]
        self.height = box[3] - box[1]
        self.horizontal_center = (box[0] + box[2]) / 2
        self.vertical_center = (box[1] + box[3]) / 2
        self.label = __name__[0]

    def __repr__(self):
        b = self.__box__
        return "ImagePatch(" + str(b[0]) + ", " + str(b[1]) + ", " + str(b[2]) + ", " + str(b[3]) + ")"

    def __eq__(self, other):
        return type(other) is ImagePatch and self.__box__ == other.__box__ and self.__name__ == other.__name__

    def __hash__(self):
        return hash(self.__box__)

    def crop(self, left, lower, right, upper):
        return ImagePatch(self, left, lower, right, upper)

    def overlaps_with(self, left, lower=None, right=None, upper=None):
        if type(left) is ImagePatch and lower is None:
            left, lower, right, upper = left.__box__
        b = self.__box__
        return b[0] <= right and b[2] >= left and b[1] <= upper and b[3] >= lower

    def overlaps(self, patch, lower=None, right=None, upper=None):
        return self.overlaps_with(patch, lower, right, upper)

    def expand_patch_with_surrounding(self):
        b = self.__box__
        w = (b[2] - b[0]) / 2
        h = (b[3] - b[1]) / 2
        return ImagePatch(__picture__, b[0] - w, b[1] - h, b[2] + w, b[3] + h)

    # __TOOL_METHODS__


def distance(patch_a, patch_b):
    if type(patch_a) is not ImagePatch or type(patch_b) is not ImagePatch:
        return abs(patch_a - patch_b)
    a = patch_a.__box__
    b = patch_b.__box__
    dx = __b_max__(0, a[0] - b[2], b[0] - a[2])
    dy = __b_max__(0, a[1] - b[3], b[1] - a[3])
    if dx == 0 and dy == 0:
        w = __b_max__(0, __b_min__(a[2], b[2]) - __b_max__(a[0], b[0]))
        h = __b_max__(0, __b_min__(a[3], b[3]) - __b_max__(a[1], b[1]))
        union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h
        return 0.0 - w * h / union
    return (dx * dx + dy * dy) ** 0.5


def bool_to_yesno(bool_answer):
    return "yes" if bool_answer else "no"


def formatting_answer(answer):
    t = type(answer)
    if t is bool:
        return "yes" if answer else "no"
    if t is float and answer == answer and abs(answer) < 1e15 and answer == int(answer):
        return str(int(answer))
    if t is list or t is tuple:
        return ", ".join([formatting_answer(x) for x in answer])
    if t is set or t is frozenset:
        return ", ".join(__b_sorted__([formatting_answer(x) for x in answer]))
    if t is ImagePatch and answer.label is not None:
        return answer.label
    return str(answer).strip()


__UNITS__ = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}
__SCALES__ = {"thousand": 1000, "million": 1000000, "billion": 1000000000}


def __words__(string):
    """The number that a text spells in words, else None."""
    total = 0
    part = 0
    found = False
    for word in string.lower().replace("-", " ").split():
        word = word.strip(".,!?;:")
        if word in __UNITS__:
            part = part + __UNITS__[word]
            found = True
        elif word == "hundred":
            part = (part or 1) * 100
            found = True
        elif word in __SCALES__:
            total = total + (part or 1) * __SCALES__[word]
            part = 0
            found = True
    return total + part if found else None


def coerce_to_numeric(string, no_string=False):
    if type(string) is bool or type(string) is int or type(string) is float:
        return string
    if type(string) is not str:
        raise TypeError("coerce_to_numeric() needs a text, not " + type(string).__name__)
    words = __words__(string)
    if words is not None:
        return words
    kept = ""
    for c in string:
        if c in "0123456789.-":
            kept = kept + c
    sign = ""
    if kept.startswith("-"):
        sign = "-"
        kept = kept[1:]
    if "-" in kept:
        kept = kept.split("-")[0]
    try:
        return float(sign + kept) if "." in kept else int(sign + kept)
    except ValueError:
        if no_string:
            raise ValueError("no number in the text")
        return string


def process_guesses(question, *guesses):
    flat = []
    for guess in guesses:
        for one in guess if type(guess) is list or type(guess) is tuple else [guess]:
            if one is not None and str(one).strip():
                flat.append(str(one).strip())
    best = ""
    most = 0
    for one in flat:
        count = 0
        for other in flat:
            if other.lower() == one.lower():
                count = count + 1
        if count > most:
            best = one
            most = count
    return best


# ---- what Monty does differently from Python -------------------------------------------------------------


class __End__:
    def __repr__(self):
        return "end"


__END__ = __End__()


def __source__(x):
    return x if type(x) is generator else __b_iter__(x)


def __pull__(source):
    if type(source) is generator:
        return source.__pull__()
    return __b_next__(source, __END__)


class generator:
    """A lazy iterable: generator expressions, map, filter, zip, enumerate, reversed."""

    def __init__(self, kind, function, sources, depth):
        self.__kind__ = kind
        self.__function__ = function
        self.__sources__ = sources
        self.__depth__ = depth
        self.__stack__ = []
        self.__done__ = False

    def __iter__(self):
        return self

    def __next__(self):
        v = self.__pull__()
        if v is __END__:
            raise StopIteration
        return v

    def __more__(self):
        self.__value__ = self.__pull__()
        return self.__value__ is not __END__

    def __pull__(self):
        if self.__done__:
            return __END__
        self.__done__ = True  # an error ends it, as it ends a generator in Python
        v = self.__step__()
        if v is not __END__:
            self.__done__ = False
        return v

    def __step__(self):
        kind = self.__kind__
        sources = self.__sources__
        if kind == "gen":
            stack = self.__stack__
            if not stack:
                stack.append((sources[0], self.__function__, self.__depth__))
            while stack:
                source, function, depth = stack[-1]
                v = __pull__(source)
                if v is __END__:
                    stack.pop()
                    continue
                try:
                    made = function(v)
                except StopIteration:
                    raise RuntimeError("generator raised StopIteration")
                if made:
                    if depth == 1:
                        return made[0]
                    stack.append((made[0][0], made[0][1], depth - 1))
            return __END__
        if kind == "iter":
            return __pull__(sources[0])
        if kind == "reversed":
            i = self.__depth__ - 1
            self.__depth__ = i
            return sources[i] if 0 <= i < len(sources) else __END__
        if kind == "enumerate":
            v = __pull__(sources[0])
            if v is __END__:
                return v
            i = self.__depth__
            self.__depth__ = i + 1
            return (i, v)
        if kind == "filter":
            while True:
                v = __pull__(sources[0])
                if v is __END__:
                    return v
                if v if self.__function__ is None else self.__function__(v):
                    return v
        values = []
        for source in sources:
            v = __pull__(source)
            if v is __END__:
                if self.__depth__ and (values or __b_any__([__pull__(s) is not __END__ for s in sources[1:]])):
                    raise ValueError("zip() arguments differ in length")
                return v
            values.append(v)
        if not values:
            return __END__
        return self.__function__(*values) if kind == "map" else tuple(values)


def __gen__(iterable, function, depth=1):
    return generator("gen", function, [__source__(iterable)], depth)


def __loop__(iterable):
    return generator("iter", None, [__source__(iterable)], 0)


def __drain__(x):
    if type(x) is not generator:
        return list(x)
    values = []
    while x.__more__():
        values.append(x.__value__)
    return values


def __drain_set__(x):
    values = set()
    while x.__more__():
        values.add(x.__value__)
    return values


def __drain_dict__(x):
    values = {}
    while x.__more__():
        k, v = x.__value__
        values[k] = v
    return values


def __take__(x, n):
    """At most n + 1 items: what unpacking into n names asks for."""
    if type(x) is not generator:
        return x
    values = []
    while len(values) <= n and x.__more__():
        values.append(x.__value__)
    return values


def __in__(v, x):
    if type(x) is not generator:
        return v in x
    while x.__more__():
        if x.__value__ is v or x.__value__ == v:
            return True
    return False


def __extend__(target, x):
    if type(target) is list and type(x) is generator:
        while x.__more__():
            target.append(x.__value__)
    else:
        target.extend(__drain__(x))


def __undefined__(name):
    raise NameError("name '" + name + "' is not defined")


def __has__(obj, name):
    """The receiver of a method call, once it is sure to have the method (Python looks before it evaluates)."""
    if type(obj) is not ImagePatch and type(obj) is not str:
        __b_getattr__(obj, name)
    return obj


def __call__(obj, name, site, *args, **kwargs):
    if type(obj) is ImagePatch:
        if name in __TOOLS__:
            return __tool__(name, site, obj, args, kwargs)
    elif type(obj) is str and name == "find":
        return obj.find(*args)
    return __b_getattr__(obj, name)(*args, **kwargs)


def __function__(name, site, *args, **kwargs):
    return __tool__(name, site, None, args, kwargs)


def __print__(site, *values, sep=" ", end="\n", file=None, flush=False):
    if file is not None:
        raise TypeError("print() cannot write to a file here")
    text = (" " if sep is None else sep).join([str(v) for v in values]) + ("\n" if end is None else end)
    __S__[4] = __S__[4] + len(text)
    if __S__[4] > __MAX_OUTPUT__:
        __S__[6] = site
        __stop__("output", "")
    __push__((site, __S__[1], text))


def print(*values, sep=" ", end="\n", file=None, flush=False):
    __print__(-1 - __S__[6], *values, sep=sep, end=end, file=file, flush=flush)


def iter(*args):
    if len(args) == 1 and type(args[0]) is generator:
        return args[0]
    return __b_iter__(*args)


def next(iterator, *default):
    if type(iterator) is not generator:
        return __b_next__(iterator, *default)
    if len(default) > 1:
        raise TypeError("next expected at most 2 arguments, got " + str(len(default) + 1))
    v = iterator.__pull__()
    if v is not __END__:
        return v
    if default:
        return default[0]
    raise StopIteration


def any(iterable):
    if type(iterable) is not generator:
        return __b_any__(iterable)
    while iterable.__more__():
        if iterable.__value__:
            return True
    return False


def all(iterable):
    if type(iterable) is not generator:
        return __b_all__(iterable)
    while iterable.__more__():
        if not iterable.__value__:
            return False
    return True


def sum(iterable, start=0):
    if type(iterable) is not generator:
        return __b_sum__(iterable, start)
    if type(start) is str:
        raise TypeError("sum() can't sum strings [use ''.join(seq) instead]")
    while iterable.__more__():
        start = start + iterable.__value__
    return start


def sorted(iterable, *, key=None, reverse=False):
    values = __drain__(iterable)
    if key is None:
        return __b_sorted__(values, reverse=reverse)
    keys = [key(v) for v in values]
    return [values[i] for i in __b_sorted__(__b_range__(len(values)), key=lambda i: keys[i], reverse=reverse)]


__b_range__ = range


def __sort__(target, args, kwargs):
    """`list.sort` with keys that may call tools."""
    if type(target) is not list or args:
        return target.sort(*args, **kwargs)
    made = sorted(target, **kwargs)
    target[:] = made


def __extreme__(name, native, args, key, default, has_default, larger):
    if len(args) == 1 and type(args[0]) is not generator and key is None:
        if has_default:
            return native(args[0], default=default)
        return native(args[0])
    if len(args) == 1:
        source = __source__(args[0])
    elif not args:
        raise TypeError(name + " expected at least 1 argument, got 0")
    elif has_default:
        raise TypeError("Cannot specify a default for " + name + "() with multiple positional arguments")
    else:
        source = __b_iter__(args)
    best = __pull__(source)
    if best is __END__:
        if has_default:
            return default
        raise ValueError(name + "() iterable argument is empty")
    rank = best if key is None else key(best)
    while True:
        v = __pull__(source)
        if v is __END__:
            return best
        r = v if key is None else key(v)
        if (r > rank) if larger else (r < rank):
            best = v
            rank = r


def min(*args, key=None, default=__END__):
    return __extreme__("min", __b_min__, args, key, default, default is not __END__, False)


def max(*args, key=None, default=__END__):
    return __extreme__("max", __b_max__, args, key, default, default is not __END__, True)


def map(function, *iterables):
    if not iterables:
        raise TypeError("map() must have at least two arguments.")
    return generator("map", function, [__source__(x) for x in iterables], 0)


def filter(function, iterable):
    return generator("filter", function, [__source__(iterable)], 0)


def zip(*iterables, strict=False):
    return generator("zip", None, [__source__(x) for x in iterables], 1 if strict else 0)


def enumerate(iterable, start=0):
    return generator("enumerate", None, [__source__(iterable)], start)


def reversed(sequence):
    if type(sequence) is list or type(sequence) is tuple or type(sequence) is str or type(sequence) is range:
        return generator("reversed", None, sequence, len(sequence))
    if type(sequence) is dict:
        keys = list(sequence)
        return generator("reversed", None, keys, len(keys))
    raise TypeError("'" + type(sequence).__name__ + "' object is not reversible")


def round(number, ndigits=None):
    if type(number) is float and type(ndigits) is int and 0 <= ndigits and number - number == 0:
        # Monty scales and rounds; Python rounds the exact decimal value
        return float(f"{number:.{ndigits}f}") if ndigits < 23 else number
    return __b_round__(number, ndigits) if ndigits is not None else __b_round__(number)


def callable(x):
    t = type(x).__name__
    return t == "function" or t == "type" or t == "builtin_function_or_method" or t == "method"


def __name_guard__(name):
    if type(name) is not str:
        raise TypeError("attribute name must be string, not '" + type(name).__name__ + "'")
    if name.startswith("__"):
        __stop__("source", "names that begin with two underscores cannot be used: '" + name[:40] + "'")


def getattr(obj, name, *default):
    __name_guard__(name)
    return __b_getattr__(obj, name, *default)


def hasattr(obj, name):
    __name_guard__(name)
    return __b_hasattr__(obj, name)


__b_setattr__ = setattr


def setattr(obj, name, value):
    __name_guard__(name)
    __b_setattr__(obj, name, value)


def __main__(function):
    answer = function(__picture__)
    if __S__[5] is not None:
        __stop__(__S__[5][0], __S__[5][1])
    t = type(answer)
    if t is generator or t is __Picture__:
        __S__[6] = -1
        __stop__("value", "execute_command returned a " + t.__name__ + "; it must return an answer")
    __vpd__(3, __S__[3], __pack__(answer, 0, [0]))
