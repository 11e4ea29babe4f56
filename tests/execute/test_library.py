"""The standard library as programs use it: as CPython has it."""

from __future__ import annotations

import contextlib
import io

import pytest
from test_same_as_python import printed, run

from workbench.execute import Executor

HEAD = "import itertools, functools, operator, heapq, bisect, copy, statistics, string, math\n"

DEQUES = [
    "d = deque([1, 2, 3])\nd.append(4)\nd.appendleft(0)\nprint(d, len(d), d.pop(), d.popleft(), d, d[0], d[-1], bool(d), 2 in d, deque() or 'empty')",
    "d = deque('abc', maxlen=2)\nd.append('x')\nprint(d, d.maxlen, deque([1], 3), deque(maxlen=1), deque(range(5), 2), deque([1]).maxlen)\nd.extend(c.upper() for c in 'pq')\nd.extendleft(map(str, [1, 2]))\nprint(d)",
    "d = deque([1, 2, 3, 2])\nd.rotate(1)\nprint(d)\nd.rotate(-2)\nprint(d)\nd.remove(2)\nd.insert(1, 9)\nd.reverse()\nprint(d, d.count(2), d.index(9), d.copy(), d == deque(d), d == [1], d + deque([1]), deque([1]) * 2)",
    "d = deque([3, 1, 2])\nprint(sorted(d), min(d), max(d, key=lambda x: -x), sum(d), list(d), tuple(d), set(d) == {1, 2, 3}, [*d], list(enumerate(d)), list(zip(d, 'abc')), [x * 2 for x in d])\na, *b = d\nprint(a, b, f'{d}', str(d), isinstance(d, deque), isinstance(d, list), type(d).__name__)",
    "d = deque(range(6))\ndel d[1], d[-1]\nd[0] = 7\nd[1] += 5\nprint(d, copy.copy(d), copy.deepcopy(deque([[1]], 3)))\nd += [1]\nd += (x for x in 'a')\nd.clear()\nprint(d)",
    "for f in (lambda: deque().pop(), lambda: deque().popleft(), lambda: deque([1])[3], lambda: deque([1]).remove(2), lambda: deque([1])[0:1], lambda: {deque(): 1}, lambda: deque([1], 1).insert(0, 2), lambda: deque(5), lambda: deque([1]) + [1], lambda: deque([2]).index(1), lambda: deque() < [1]):\n    try:\n        f()\n        print('fine')\n    except Exception as e:\n        print(type(e).__name__)",
    "d = deque([1, 2])\ntry:\n    for x in d:\n        d.append(x)\nexcept RuntimeError as e:\n    print('changed', len(d))\ntry:\n    for x in d:\n        d.popleft()\n        d.append(1)\nexcept RuntimeError as e:\n    print('changed', d)",
    "d = deque([(0, 'a')])\nseen = []\nwhile d:\n    n, w = d.popleft()\n    seen.append(w)\n    if n < 3:\n        d.append((n + 1, w + 'x'))\n        d.appendleft((n + 2, w + 'y'))\nprint(seen)",
    "d = deque([[1], {2: 3}])\npush, left = d.append, d.appendleft\npush(4)\nleft(0)\nlist(map(d.append, 'ab'))\nprint(d, d[1], {1: deque([deque()])}, hasattr(d, 'rotate'), deque([1, 2]) < deque([1, 3]), deque([1]) == deque([1.0]), deque([1]) != deque([2]))",
    "import collections\nd = collections.deque({3, 1, 2})\nd.extendleft({6, 5})\nprint(d, 'x'.join(collections.deque('ab')), list(itertools.islice(d, 2)), heapq.nlargest(1, d), statistics.mean(d))",
]  # fmt: skip

BODIES = [
    "print(list(itertools.chain([1], 'ab', ())), list(itertools.chain.from_iterable([[1, 2], [3]])))",
    "print(list(itertools.product('ab', [0, 1])), list(itertools.product([0, 1], repeat=2)), list(itertools.product()))",
    "print(list(itertools.permutations([1, 2, 3])), list(itertools.permutations('abc', 2)), list(itertools.permutations([], 1)))",
    "print(list(itertools.combinations('abcd', 2)), list(itertools.combinations([1], 2)), list(itertools.combinations([1, 2], 0)))",
    "print(list(itertools.combinations_with_replacement('ab', 3)), list(itertools.pairwise([1, 2, 3])), list(itertools.pairwise([1])))",
    "for a, b in itertools.combinations([3, 1, 2], 2):\n    print(a - b)",
    "print([(k, list(g)) for k, g in itertools.groupby('aabbba')], [k for k, g in itertools.groupby([1, 1, 2], key=lambda x: x > 1)])",
    "pairs = list(itertools.groupby([1, 1, 2]))\nprint([(k, list(g)) for k, g in pairs])\ng = itertools.groupby('aab')\nk, first = next(g)\nprint(next(first), next(g)[0], list(first))",
    "print(list(itertools.islice([0, 1, 2, 3, 4, 5], 3)), list(itertools.islice(itertools.count(5, 2), 1, 8, 3)), list(itertools.islice('abc', 1, None)))",
    "it = iter(range(10))\nprint(list(itertools.islice(it, 2, 5, 2)), next(it), list(itertools.islice(it, 0)), next(it))",
    "print(list(itertools.accumulate([1, 2, 3])), list(itertools.accumulate([3, 1, 2], max)), list(itertools.accumulate([1], initial=9)), list(itertools.accumulate([])))",
    "print(list(itertools.takewhile(lambda x: x < 3, [1, 2, 3, 1])), list(itertools.dropwhile(lambda x: x < 3, [1, 2, 3, 1])), list(itertools.filterfalse(None, [0, 1])))",
    "print(list(itertools.zip_longest([1, 2], 'a', fillvalue='-')), list(itertools.zip_longest()), list(itertools.starmap(pow, [(2, 3), (3, 2)])))",
    "print(list(itertools.compress('abc', [1, 0, 1])), list(itertools.repeat('x', 2)), list(itertools.islice(itertools.cycle('ab'), 5)), list(itertools.cycle([])))",
    "print(functools.reduce(lambda a, b: a + b, [1, 2, 3]), functools.reduce(max, [], 4), functools.partial(round, ndigits=1)(2.34), functools.partial(pow, 2)(3))",
    "try:\n    functools.reduce(max, [])\nexcept TypeError as e:\n    print(e)",
    "print(operator.itemgetter(1)([5, 6]), operator.itemgetter('a', 'b')({'a': 1, 'b': 2}), sorted([(1, 'b'), (0, 'c')], key=operator.itemgetter(1)))",
    "print(functools.reduce(operator.mul, [2, 3, 4]), operator.not_([]), operator.contains('abc', 'b'), list(map(operator.neg, [1, -2])), operator.truediv(1, 2))",
    "print(max({'a': 3, 'b': 5}.items(), key=operator.itemgetter(1))[0], operator.le(1, 2), operator.attrgetter('start')(range(3, 5)) if False else 0)",
    "h = [5, 2, 8, 1]\nheapq.heapify(h)\nprint(h)\nheapq.heappush(h, 0)\nprint(h, heapq.heappop(h), h, heapq.heappushpop(h, 3), heapq.heapreplace(h, 9), h)",
    "print(heapq.nlargest(2, [3, 1, 2]), heapq.nsmallest(2, ['bb', 'a', 'ccc'], key=len), heapq.nlargest(0, [1]), heapq.nlargest(5, [1, 2]))",
    "try:\n    heapq.heappop([])\nexcept IndexError as e:\n    print(e)",
    "h = []\nfor x in [5, 3, 9, 1, 7, 3, 8]:\n    heapq.heappush(h, (x, str(x)))\nprint(h, [heapq.heappop(h)[0] for _ in range(7)])",
    "xs = [1, 3, 3, 5]\nprint(bisect.bisect(xs, 3), bisect.bisect_left(xs, 3), bisect.bisect_right(xs, 9), bisect.bisect_left(xs, 3, 2), bisect.bisect(['a', 'bb'], 1, key=len))\nbisect.insort(xs, 4)\nbisect.insort_left(xs, 0)\nprint(xs)",
    "a = [[1, 2], {'k': [3]}, (4, [5])]\nb, c = copy.copy(a), copy.deepcopy(a)\na[0].append(9)\na[2][1].append(6)\nprint(b, c, b[0] is a[0], c[0] is a[0])",
    "a = [[0]] * 2\nb = copy.deepcopy(a)\nb[0].append(1)\nprint(b, b[0] is b[1], copy.deepcopy({1: {2}}), copy.copy('x'))",
    "print(statistics.mean([1, 2]), statistics.mean([1, 3]), statistics.mean([0.1, 0.2, 0.3]), statistics.mean([1, 2.5]), statistics.median([3, 1, 2]), statistics.median([1, 2, 3, 4]), statistics.median_low([1, 2]), statistics.median_high([1, 2]), statistics.mode('abb'))",
    "for xs in ([1, 2, 4, 4], [0.1, 0.2, 0.3], [3, 2.5], [1e150, 5e-324, 2], [10**24, 1], [7, 7]):\n    print(statistics.fmean(xs), statistics.variance(xs), statistics.pvariance(xs), statistics.stdev(xs), statistics.pstdev(xs))",
    "print(statistics.multimode('abba'), statistics.multimode([]), statistics.multimode([1, True, 2.0, 2]), statistics.pstdev([3]))",
    "print(operator.abs(-3), operator.pos(True), operator.invert(5), operator.truth([]), operator.lshift(3, 2), operator.rshift(9, 1), operator.getitem([4, 5], 1), operator.countOf([1, True, 2], 1))",
    "a, b = {70, 3, 1}, {1, 3, 9, 40}\nprint(sorted(operator.and_(a, b)), operator.and_(6, 3), operator.or_(4, 1), operator.xor(5, 1), sorted(operator.or_(a, b)), len(operator.sub(a, b)), len(functools.reduce(operator.and_, [{1, 2}, {2, 3}])))",
    "print(string.ascii_lowercase, string.ascii_uppercase, string.ascii_letters[25:28], string.digits, string.hexdigits, string.octdigits, string.punctuation, repr(string.whitespace))",
    "from itertools import combinations as pairs, chain\nfrom heapq import nlargest\nfrom functools import reduce\nfrom string import digits\nprint(list(pairs('abc', 2)), list(chain.from_iterable([[1], [2]])), nlargest(1, [1, 2]), reduce(max, [1, 2]), digits)",
    "from itertools import chain\nprint(list(chain({3, 1, 2}, {5})), list(itertools.permutations({2, 1})), itertools.chain is itertools.chain)",
    "xs = list(range(8))\ndel xs[1:3], xs[-1]\nprint(xs)\ndel xs[::2]\nprint(xs)\ndel xs[:]\nprint(xs)\nd = {1: 2}\ndel d[1]\nprint(d)",
    "try:\n    list(itertools.combinations([1], -1))\nexcept ValueError as e:\n    print(e)\ntry:\n    list(itertools.islice([1], -1))\nexcept ValueError:\n    print('negative')",
    "ys = itertools.combinations([1, 2, 3], 2)\nprint(next(ys), list(ys), sum(a for a, b in itertools.pairwise([1, 2])), dict(itertools.zip_longest('ab', [1])))",
    "print(*itertools.repeat(1, 2), sorted(itertools.permutations([2, 1])), (1, 2) in itertools.combinations([1, 2], 2), max(itertools.chain([1], [5])), set(itertools.chain('a')), ' '.join(itertools.chain('ab')))",
    "a, b = itertools.chain([1], [2])\nprint(a, b, list(zip(itertools.count(), 'ab')), list(map(str, itertools.chain([1]))), [*itertools.chain([3])])",
    "xs, ys = itertools.tee(x * 2 for x in [1, 2, 3])\nprint(next(xs), list(ys), list(xs), [list(t) for t in itertools.tee('ab', 3)], itertools.tee([1], 0))",
    "print(list(heapq.merge([1, 4, 7], [2, 4], [], [0, 9])), list(heapq.merge(['bb', 'a'], ['ccc', 'd'], key=len, reverse=True)), list(heapq.merge()), next(heapq.merge([3], [2])))",
    "import sys\nfrom sys import maxsize as most\nprint(sys.maxsize, most, min(sys.maxsize, 3), -most - 1)",
    "print(math.copysign(3, -0.0), math.factorial(20), math.comb(10, 3), math.perm(5), math.perm(5, 2), math.lcm(4, 6, 10), math.isqrt(10**20), math.modf(-2.25), math.frexp(12.5), math.ldexp(0.5, 4), math.fsum([0.1] * 10), math.remainder(7, 4), math.tau)",
    "for f in (lambda: math.factorial(-1), lambda: math.comb(2, -1), lambda: math.isqrt(-1), lambda: math.factorial(2.5), lambda: math.log1p(-1)):\n    try:\n        print(f())\n    except Exception as e:\n        print(type(e).__name__)",
    "for x in (0.1, -0.7, 2.5, 30.0):\n    print(math.log1p(x), math.expm1(x), math.cosh(x), math.sinh(x), math.tanh(x), math.frexp(x), math.remainder(x, 0.3))",
    *(f"from collections import deque\n{part}" for part in DEQUES),
    "c = collections.Counter('abb')\ncounts = collections.defaultdict(int)\nfor w in 'a b b'.split():\n    counts[w] += 1\nprint(max(counts, key=counts.get), max(c, key=c.get), sorted(counts, key=counts.get), list(map(c.get, 'az')))",
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_the_library_is_pythons(executor: Executor, body: str) -> None:
    source = f"{HEAD}import collections\n{body}"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(source, {})
    assert printed(run(executor, source)) == out.getvalue()


def test_what_a_function_of_the_library_calls_may_be_a_tool(executor: Executor) -> None:
    body = (
        f"{HEAD}print(functools.reduce(lambda n, x: n + p.exists(x), 'abc', 0), "
        "list(itertools.takewhile(p.exists, ['a', 'b'])), "
        "heapq.nlargest(1, 'ab', key=lambda x: p.exists(x)))"
    )
    trace = run(executor, body)
    assert trace.failure is None
    assert [e.payload["tool"] for e in trace.events if e.kind == "tool"][:3] == ["exists"] * 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import itertools\nx = itertools", "the module itertools as a value"),
        ("import itertools\nx = itertools.batched([1], 2)", "itertools.batched is not available"),
        ("from functools import lru_cache", "from functools import lru_cache"),
        ("import copy\nx = copy.deepcopy(p)", "copy.deepcopy of a value of type ImagePatch"),
        ("import statistics\nx = statistics.mean([])", "statistics.mean of no values"),
        (
            "import statistics\nx = statistics.stdev([1])",
            "statistics.stdev of fewer than two values",
        ),
        ("import statistics\nx = statistics.pstdev([1], 2)", "pstdev with more than the data"),
        ("import operator\nx = operator.methodcaller('upper')", "operator.methodcaller"),
        ("from collections import OrderedDict", "from collections import OrderedDict"),
        (
            "import itertools\nx = list(itertools.chain({5, 500, 13}))",
            "the order of a set of numbers",
        ),
        ("from collections import deque\nx = list(reversed(deque([1])))", "reversed() of a deque"),
    ],
)
def test_what_the_library_lacks_is_refused(executor: Executor, body: str, message: str) -> None:
    failure = run(executor, body).failure
    assert failure is not None
    assert failure.kind == "unsupported"
    assert message in failure.message
