"""Where Monty's values differ from Python's: equal to Python's, or refused with the line."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random

import pytest
from generate import program
from test_differential import compare
from tools_for_tests import a_program, a_task

from workbench.api import STANDARD, Api
from workbench.execute import Executor, Limits
from workbench.execute.language.check import check
from workbench.records import Trace

HEAD = "import re\nfrom collections import Counter, defaultdict\ndef execute_command(image):\n    p = ImagePatch(image)\n"


def run(executor: Executor, body: str) -> Trace:
    source = HEAD + "".join(f"    {line}\n" for line in body.splitlines()) + "    return 'end'\n"
    return next(executor.run([(a_task(), a_program(source))]))


def printed(trace: Trace) -> str:
    assert trace.failure is None, trace.failure
    return "".join(e.payload["text"] + "\n" for e in trace.events if e.kind == "print")


SAME = [
    "print({1: 'a', True: 'b', 1.0: 'c'}, {0: 1, False: 2, 'x': 3}, {(1, 2): 'a', (True, 2.0): 'b'})",
    "d = {}\nd[True] = 1\nd[1] = 2\nd[1.0] += 3\nd.setdefault(1, 9)\nprint(d)",
    "d = defaultdict(int)\nfor k in [1, True, 1.0, 'a']:\n    d[k] += 1\nprint(dict(d), d | {True: 5})",
    "print(dict([(1, 'a'), (True, 'b')]), dict(zip([0, False], 'ab')), dict.fromkeys([1, 1.0, 'x']), {**{1: 2}, **{True: 3}})",
    "d = {True: 1}\nd.update({1: 2}, a=3)\nd |= {1.0: 4}\nd.update([(1, 5)])\nprint(d)",
    "print({v: i for i, v in enumerate([1, True, 2, 2.0])}, {p.exists(str(v)): v for v in range(4)})",
    "d = {}\nd.setdefault('a', {})['k'] = 1\nd.setdefault('a', {})[len('x')] = 2\nd['x'], d[True] = 1, 2\nprint(d)",
    "c = Counter([True, 1, 'a'])\nc.update([1.0, 'a'])\nc[1] += 1\nprint(c, c.most_common(1), Counter('ab') + Counter('b'))",
    "s = {3, 1, 2}\nprint(s, list(s), f'{s}', '%s' % s, [{2, 0}], {'k': ({1, 0},)}, *s)\na, b, c = s\nprint(a, b, c)",
    "s = set([7, 0, True, 2.0])\ns.add(4)\nfor v in s:\n    print(v)\nprint(s | {6, 5}, s & {0, 7}, next(iter(s)), dict.fromkeys(s))",
    "s = {500, 3, 1.5}\nprint(len(s), sorted(s), max(s), sorted(list(s)), 3 in s, s == {3, 500, 1.5})",
    "s = {2, 1}\ntry:\n    for v in s:\n        s.add(v + 10)\nexcept RuntimeError:\n    print('changed')",
    "print({1, 2}.union([3], [4]), set.union({1}, {2}, {3}), {1, 2}.intersection([True, 5]), set().union(*[{1}, {0}]))",
    "print(type(3) is int, 5 is 6, 'a' is None, p is p, True is True, p.exists('a') is True)",
    "try:\n    raise ValueError('x')\nexcept Exception as e:\n    k = type(e)\n    print(k is ValueError, k.__name__, k in (ValueError, KeyError), k)",
    "try:\n    print(f'{[1]:>5}')\nexcept TypeError as e:\n    print(e)\nprint(f'{3:>5}|{\"a\":<4}|{[1]!r:>5}')",
    "print(re.sub('a.', lambda m: p.simple_query(m.group()), 'banana'), re.sub('[aeiou]', lambda m: '*', 'education', count=2))",
    "print(re.findall(r'\\b\\w+\\b', 'a b c'), re.split(r'[,;] ?', 'a, b;c'), re.split(',', 'a,b,c', maxsplit=1))",
    "for x in [1, True, 'abc', [1, 5], (1, 2, 3), {'a': 1, 'b': 2}, None, 7, p]:\n    match x:\n        case 1 | 2: print('12')\n"
    "        case str() as s: print(s)\n        case [a, 5]: print(a)\n        case [a, *rest]: print(rest)\n        case {'a': v, **k}: print(v, k)\n"
    "        case int(n) if p.exists(str(n)) or n > 3: print(n)\n        case ImagePatch(left=left): print(left)\n        case _: print('other')",
    "for f in (lambda: [][1], lambda: {}['red cup'], lambda: None.left, lambda: int('x'), lambda: 'a' + 1, lambda: 1 % 0, lambda: min([]), lambda: undefined):\n"
    "    try:\n        f()\n    except Exception as e:\n        print(type(e).__name__, e, repr(e), e.args)",
    "try:\n    assert 1 > 2, 'own words'\nexcept AssertionError as e:\n    print(e)\ntry:\n    raise KeyError('own')\nexcept KeyError as e:\n    print(e)",
]  # fmt: skip


LONGER = r"""
def f(d, k):
    d[k] = 1
    return d
print(f({}, 'a'), f({1: 0}, True), f([0], 0))
try:
    f((1,), 0)
except TypeError as e:
    print(e)
try:
    f({}, [])
except TypeError:
    print('unhashable')
try:
    f(None, 0)
except TypeError as e:
    print(e)
try:
    f('abc', 0)
except TypeError as e:
    print(e)
---
class A:
    pass
a = A()
a.items = {}
a.items['k'] = [1]
a.items['k'][0] += 5
a.update = lambda x: x * 2
a.format = 3
print(a.items, a.update(4), a.format)
---
class B:
    def update(self, x, y=2): return x + y
    def format(self, s): return s + '!'
    def union(self, *a): return a
    def pop(self): return 'popped'
    def items(self): return [1]
    def intersection(self, o): return o
b = B()
print(b.update(1), b.update(1, y=5), b.format('a'), b.union(1, 2), b.pop(), b.items(), b.intersection({1}))
---
try:
    None.update(p.simple_query('x'))
except AttributeError as e:
    print(e)
try:
    'abc'.update(p.simple_query('y'))
except AttributeError as e:
    print(e)
try:
    (3).format(p.simple_query('z'))
except AttributeError as e:
    print(e)
---
grid = [[0] * 3 for _ in range(2)]
grid[1][2] = 5
grid[0][p.exists('x')] += 1
for grid[0][1] in range(3): pass
[grid[1][0], grid[1][1]] = 7, 8
grid[0][0], grid[1][0] = grid[1][0], grid[0][0]
print(grid)
---
xs = [1, 2, 3]
xs[p.exists('a')], ys = p.simple_query('b'), p.simple_query('c')
d = {}
d[p.simple_query('k')] = p.simple_query('v')
d[p.simple_query('k')] += p.simple_query('w')
def get(x):
    p.exists('get' + str(x))
    return d
get(1)[p.simple_query('q')] = p.simple_query('r')
get(2)[p.simple_query('q')] += p.simple_query('s')
print(xs, ys, d)
---
from collections import Counter as C, defaultdict as dd
names = [c.simple_query('n') for c in p.find('cup')] + ['red', 'red']
print(C(names).most_common(), dd(list, {'a': [1]}), max(set(names), key=names.count), sorted(set(names)), len(set(names)))
for name, n in C(names).most_common(2): print(name, n)
return C(names).most_common(1)[0][0]
---
d = dict(a=1, **{'b': 2})
e = dict(d, c=3)
e.update(d)
e.update(z=1)
e.update([('q', 1)], w=2)
print(d, e, dict(), dict({}), d == dict([('a', 1), ('b', 2)]), dict(enumerate('ab')), dict(map(lambda x: (x, p.exists(x)), 'ab')), dict((k, v) for k, v in d.items()))
---
s = set()
s.add('a'); s.update(['b', 'c'], 'd'); s |= {'e'}; s.discard('e'); s.remove('d')
print(sorted(s), len(s), 'a' in s, s >= {'a'}, sorted(s - {'a'}), sorted(s ^ {'z'}), sorted(s & {'a', 'b'}), s.isdisjoint({'q'}), s.issubset({'a', 'b', 'c', 'd'}))
for x in sorted(s): print(x)
t = frozenset(s)
print(sorted(t), t == s, len({t, frozenset('abc')}))
---
xs = [3, 1, 3]
print(list(dict.fromkeys(xs)), sorted(set(xs)), [x for x in sorted(set(xs))], sum(set(xs)), max(set(xs)), len(list(set(xs))), sorted(list(set([500, 3, 500]))), any(x > 2 for x in set(xs)), 3 in set(xs), set(xs) == {1, 3})
---
print(1 if p.exists('a') is True else 2, p.simple_query('q') is None, [] is None, None is None, p.find('cup') is not None)
x = None
while x is None:
    x = p
return x is p
---
try:
    raise ValueError('bad ' + str(3))
except (ValueError, KeyError) as e:
    msg = f'failed: {e}'
    print(msg, str(e), e.args[0])
try:
    p.crop(5, 5, 1, 1)
except ValueError as e:
    print(e)
def risky():
    raise RuntimeError('inner')
try:
    risky()
except Exception as e:
    print('E', e)
    try:
        raise TypeError('outer') from e
    except TypeError as f:
        print(f)
---
err = None
try:
    int('x')
except ValueError as e:
    err = e
print(err)
return str(err)
""".strip().split("\n---\n")

RECEIVERS = [
    "None.split(ASK)", "(3).append(ASK)", "p.nothing(ASK)", "'a'.foo(ASK)", "[].lower(ASK)", "image.foo(ASK)", "None(ASK)",
    "undefined(ASK)", "None.update(ASK)", "(3).format(ASK)", "None.union(ASK, ASK)", "None[ASK]", "None + ASK", "{**None, 'a': ASK}",
    "{[]: ASK for i in range(2)}", "{[] for i in range(2) if p.exists(str(i))}", "undefined[0] = ASK", "None.x = ASK", "{}[ASK][ASK]",
]  # fmt: skip


@pytest.mark.parametrize("body", [*SAME, *LONGER])
def test_python_and_the_sandbox_do_the_same(executor: Executor, body: str) -> None:
    lines = body.splitlines()
    end = [] if lines[-1].startswith("return") else ["return 'end'"]
    assert compare(executor, HEAD + "".join(f"    {line}\n" for line in lines + end)) == "ok"


@pytest.mark.parametrize("code", RECEIVERS)
def test_what_fails_before_its_arguments_asks_no_tool(executor: Executor, code: str) -> None:
    asked = code.replace("ASK", "p.simple_query('x')")
    source = f"{HEAD}    try:\n        {asked}\n    except Exception as e:\n        print(type(e).__name__)\n    return 'end'\n"
    assert compare(executor, source) == "ok"


REBOUND = [
    "len = lambda x: 0\ndef generator(x):\n    return [x]\ndef abs(x):\n    return 'own'\n"
    "def execute_command(image):\n    xs = [v for v in (u * 2 for u in [1, 2])]\n"
    "    print(len(xs), abs(-3), generator(2), xs)\n    return 'end'\n",
    "TypeError = KeyError\ndef execute_command(image):\n    try:\n        {}['q']\n"
    "    except TypeError:\n        print('caught')\n    try:\n        ImagePatch(image).find(3)\n"
    "    except Exception as e:\n        print(type(e).__name__)\n    return 'end'\n",
    "str = 'text'\nlist = 5\ntype = 3\ntuple = int\nrange = print\n"
    "def execute_command(image):\n    p = ImagePatch(image)\n    print([c.left for c in p.find('cup')])\n"
    "    a, *b = (x for x in [1, 2, 3])\n    print(a, b, sorted([3, 1], key=lambda v: -v), f'{str}')\n"
    "    return p.simple_query('q')\n",
    "def execute_command(image):\n    def g():\n        max = 5\n        map = 3\n        return max + map\n"
    "    ys = []\n    for y in map(lambda v: v + g(), [1, 2]):\n        ys.append(y)\n    return max(ys)\n",
    "def distance(a, b):\n    return 'mine'\ndef execute_command(image):\n    p = ImagePatch(image)\n"
    "    return distance(p, p)\n",
    "class ImagePatch:\n    def __init__(self, image):\n        self.left = -5\n    def find(self, name):\n"
    "        return [name]\ndef execute_command(image):\n    p = ImagePatch(image)\n    p.crop = 3\n"
    "    return str(p.find('x')) + str(p.left) + str(p.crop)\n",
    "def execute_command(image):\n    global len, sum\n    len = lambda x: 7\n    sum = max\n"
    "    return [len('a'), sum([1, 2]), any(x for x in [0, 1])]\n",
    "def execute_command(image):\n    image.width = 10**9\n    image.size = 3\n"
    "    return ImagePatch(image).width\n",
]


@pytest.mark.parametrize("source", REBOUND, ids=range(len(REBOUND)))
def test_a_program_may_bind_any_name_anew(executor: Executor, source: str) -> None:
    assert compare(executor, source) == "ok"


AS_VALUES = [
    "c = defaultdict(int)\nfor w in 'abcab':\n    c[w] += 1\nprint(max(c, key=c.get), sorted(map(c.get, 'ab')))",
    "c = defaultdict(list)\nk, i, v, g = c.keys, c.items, c.values, c.get\nc['a'].append(1)\nprint(list(k()), list(i()), list(v()), g('z'), c.default_factory is list)",
    "c = defaultdict(int, {'a': 1})\ns, p, u, z = c.setdefault, c.pop, c.update, c.copy\ns('n', 4)\nu({1: 2}, b=3)\nu([(True, 5)])\nprint(p('n'), dict(c), dict(z()))",
    "d = Counter('abcaa')\nm, e, t, s, u = d.most_common, d.elements, d.total, d.subtract, d.update\ns('a')\nu('zzz')\nu([1, 1.0, True])\nprint(m(2), list(e()), t(), d)\nprint(min(d, key=d.get), sorted(map(d.get, 'ab')))",
    "xs = [3, 1, 2]\nf = xs.sort\nf(key=lambda v: -v)\nf(reverse=True)\nprint(xs)",
    "f = {1, 2}.union\ng = {1, 2}.intersection\nprint(sorted(f([3], [4])), g([2.0, 9]), sorted({1, 5}.difference([1])))",
    "xs = [3, 1, 2]\ndef k(v):\n    print(len(xs), v)\n    return v\nxs.sort(key=k)\ndef g(v):\n    xs.append(v)\n    return -v\ntry:\n    xs.sort(key=g)\nexcept ValueError as e:\n    print(type(e).__name__)\nprint(xs)",
    "xs = [3, 1, 2]\ndef h(v):\n    if v == 2:\n        raise KeyError('x')\n    return v\ntry:\n    xs.sort(key=h)\nexcept KeyError:\n    print(xs)",
]  # fmt: skip


@pytest.mark.parametrize("body", AS_VALUES)
def test_methods_are_values_and_sorting_is_pythons(executor: Executor, body: str) -> None:
    lines = [*body.splitlines(), "return 'end'"]
    assert compare(executor, HEAD + "".join(f"    {line}\n" for line in lines)) == "ok"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("'a'", "'a'"),
        ('"it\'s"', '"it\'s"'),
        ("3", "3"),
        ("(1, 'b')", "(1, 'b')"),
        ("None", "None"),
    ],
)
def test_a_key_error_reads_as_python_prints_it(executor: Executor, key: str, text: str) -> None:
    failure = run(executor, f"x = {{}}[{key}]").failure
    assert failure is not None
    assert failure.message == f"KeyError: {text}"
    trace = run(executor, f"try:\n    x = {{}}[{key}]\nexcept KeyError:\n    pass")
    assert [e.payload["message"] for e in trace.events if e.kind == "exception"] == [text]


KEYS = [
    ("d = {'1': 2}\nreturn d['2']", "'2'"),
    ("d = {1: 2}\nreturn d[2]", "2"),
    ("d = {'1': 2}\nk = '2'\nreturn d[k]", "'2'"),
    ("d = {'1': 2}\nk = 2\nreturn d[k]", "2"),
    ("d = {}\nreturn d['None']", "'None'"),
    ("d = {}\nreturn d[None]", "None"),
    ("d = {}\nreturn d['True']", "'True'"),
    ("d = {}\nreturn d[True]", "True"),
    ("d = {}\nreturn d.pop('-1.5')", "'-1.5'"),
    ("s = {'1'}\ns.remove('2')", "'2'"),
    ("s = {1}\ns.remove(2)", "2"),
    ("d = {}\ndel d['(1, 2)']", "'(1, 2)'"),
    ("d = {}\nreturn d[(1, 2)]", "(1, 2)"),
    ("raise KeyError('2')", "'2'"),
    ("n = 1\nreturn {}[f'{n}']", "'1'"),
    ("n = 1\nreturn {}[str(n)]", "'1'"),
    ("d = {'a': 1}\nfor k in ['a', '7']:\n    x = d[k]", "'7'"),
    ("d = {'a': {'b': 1}}\nreturn d['a']['3']", "'3'"),
]


@pytest.mark.parametrize(("body", "text"), KEYS)
def test_a_key_that_looks_like_a_number_is_what_it_was(
    executor: Executor, body: str, text: str
) -> None:
    source = "def execute_command(image):\n" + "".join(
        f"    {line}\n" for line in body.splitlines()
    )
    names: dict[str, object] = {}
    exec(source, names)
    with pytest.raises(KeyError) as caught:
        names["execute_command"](None)  # type: ignore[operator]
    assert str(caught.value) == text
    failure = run(executor, body).failure
    assert failure is not None
    assert failure.message == f"KeyError: {text}"


HEADERS = [
    ("image, my_fig, time_wait_between_lines, syntax", "'x'", "x"),
    ("video, possible_answers, query", "query", "What is it?"),
    ("image, question", "question", "What is it?"),
    ("query, image", "f'{query} {ImagePatch(image).width}'", "What is it? 640"),
    ("image, *, query, other", "query", "What is it?"),
    ("img, query='own'", "query", "own"),
    ("image, *more", "len(more)", "0"),
    ("image, possible_answers", "possible_answers[1]", "b"),
]


@pytest.mark.parametrize(("header", "value", "answer"), HEADERS)
def test_published_headers_run(executor: Executor, header: str, value: str, answer: str) -> None:
    source = f"def execute_command({header}):\n    return {value}\n"
    task = replace(a_task(), choices=("a", "b"))
    trace = next(executor.run([(task, a_program(source))]))
    assert (trace.answer, trace.failure) == (answer, None)


@pytest.mark.parametrize(
    ("header", "value", "why"),
    [
        ("image, syntax", "syntax", "uses its parameter 'syntax' \\(line 2\\), which has no value"),
        ("image, possible_answers", "possible_answers", "this question has no choices"),
        ("", "1", "takes no argument; it needs the image"),
    ],
)
def test_a_header_that_nobody_can_serve_is_refused(
    executor: Executor, header: str, value: str, why: str
) -> None:
    source = f"def execute_command({header}):\n    return {value}\n"
    failure = next(executor.run([(a_task(), a_program(source))])).failure
    assert failure is not None
    assert failure.kind == "source"
    assert re.search(why, failure.message)


def test_a_program_cannot_forge_the_kind_of_its_failure(executor: Executor) -> None:
    for text in ("chr(0) + 'stop:infra:forged'", "'stop:time:forged'"):
        failure = run(executor, f"raise RuntimeError({text})").failure
        assert failure is not None
        assert failure.kind == "runtime"
    failure = run(executor, "raise RecursionError('mine')").failure
    assert failure is not None
    assert failure.kind == "runtime"


REFUSED = [
    ("p.find = lambda name: []", 1, "a method of ImagePatch is replaced (find)"),
    ("ImagePatch.exists = lambda self, name: True", 1, "a method of ImagePatch is replaced (exists)"),
    ("x = 1\nsetattr(p, 'cr' + 'op', 3)", 2, "a method of ImagePatch is replaced (crop)"),
    ("s = {5, 13, 100}\nprint(len(s))\nx = list(s)", 3, "the order of a set of numbers"),
    ("s = {(1, 2), (0, frozenset([1]))}\nfor v in s:\n    print(v)", 2, "the order of a set of numbers"),
    ("s = {1, 2, 3}\ns.discard(2)\nprint(s)", 3, "the order of a set of numbers"),
    ("try:\n    x = 1\n    print({5, 13, 100})\nexcept Exception:\n    pass", 3, "the order of a set of numbers"),
    ("x = {frozenset([2, 1])}\nprint(x)", 2, "the order of a frozenset inside another value"),
    ("x = 'a'\nreturn x is str('a')", 2, "`is` between equal texts or numbers; use =="),
    ("try:\n    {}[3]\nexcept KeyError as e:\n    print(e)", 3, "the text of this error is not Python's own: KeyError: '3'"),
    ("d = {}\nd[float('nan')] = 1", 2, "nan as the key of a dict"),
    ("x = re.sub('x*', '-', 'axb')", 1, "a pattern that may match the empty text"),
    ("x = re.search('(a*)*', 'aa')", 1, "a repeat of what may be empty, in a pattern"),
    ("x = re.search(r'(a)\\1', 'aa')", 1, "a group that is named again inside its pattern"),
    ("x = re.search('é', 'É', re.I)", 1, "re.IGNORECASE with letters that are not ASCII"),
    ("x = re.search('(?a)a', 'a')", 1, "the flags re.ASCII and re.LOCALE"),
    ("m = re.search('(a)', 'a')\nprint(m.lastindex)", 2, "the attribute lastindex of a match"),
    ("r = re\nprint(r.sub('a', 'b', 'a'))", 1, "the module re as a value; name its functions"),
    ("x = re.compile('a').search('ba', 1)", 1, "a pattern's method with a position"),
    ("x = str(zip([1]))", 1, "the address of an iterator"),
    ("x = Counter([1]) + Counter([True])", 1, "counters with equal keys of different types"),
    ("x = 'a: {:>4}'.format([1])", 1, "str.format() with a form for a value that is no text or number"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "line", "message"), REFUSED)
def test_what_cannot_be_the_same_is_refused_where_it_stands(
    executor: Executor, body: str, line: int, message: str
) -> None:
    failure = run(executor, body).failure
    assert failure is not None
    assert (failure.kind, failure.line) == ("unsupported", line + HEAD.count("\n"))
    assert message in failure.message


def test_the_order_of_a_set_of_texts_is_one_that_python_may_give(executor: Executor) -> None:
    names = ["red", "blue", "green"]
    given = printed(run(executor, f"print(list(set({names!r})), *set({names!r}))"))
    code = f"print(list(set({names!r})), *set({names!r}))"
    possible = [
        subprocess.run(
            [sys.executable, "-S", "-c", code],
            env={"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(30)
    ]
    assert given in possible
    assert len(set(possible)) > 1


def test_programs_are_parsed_from_many_threads_at_once() -> None:
    """Python 3.11 counts the depth of all threads' parsers together (gh-106905); a collection of
    garbage in the middle of a parse lets another thread in.  Unguarded, this ends in SystemError:
    recursion depth mismatch.
    """
    api, limits = Api(STANDARD.values()), Limits()
    sources = [program(Random(seed)) for seed in range(80)]
    threshold = gc.get_threshold()

    def let_others_in(phase: str, info: object) -> None:
        time.sleep(0)

    gc.callbacks.append(let_others_in)
    gc.set_threshold(20)
    try:
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda source: check(source, api, limits), sources))
    finally:
        gc.callbacks.remove(let_others_in)
        gc.set_threshold(*threshold)
    assert len(made) == 80
