"""Where Monty's values differ from Python's: equal to Python's, or refused with the line."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
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


REFUSED = [
    ("s = {5, 100}\nprint(len(s))\nx = list(s)", 3, "the order of a set of numbers"),
    ("s = {(1, 2), (0, 1)}\nfor v in s:\n    print(v)", 2, "the order of a set of numbers"),
    ("s = {1, 2, 3}\ns.discard(2)\nprint(s)", 3, "the order of a set of numbers"),
    ("try:\n    x = 1\n    print({5, 100})\nexcept Exception:\n    pass", 3, "the order of a set of numbers"),
    ("x = {frozenset([2, 1])}\nprint(x)", 2, "the order of a frozenset inside another value"),
    ("x = 'a'\nreturn x is str('a')", 2, "`is` between equal texts or numbers; use =="),
    ("try:\n    {}[3]\nexcept KeyError as e:\n    print(e)", 3, "the text of this error is not Python's own: KeyError: '3'"),
    ("d = {}\nd[float('nan')] = 1", 2, "nan as the key of a dict"),
    ("x = re.sub('x*', '-', 'axb')", 1, "a pattern that matches the empty text"),
    ("x = str(zip([1]))", 1, "the address of an iterator"),
    ("from re import sub", 1, "from re import sub: write `import re` and re.sub(...)"),
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
