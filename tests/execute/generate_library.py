"""Random calls of the standard library, each printed or ended by its error."""

from __future__ import annotations

from random import Random

HEAD = """
import bisect, copy, functools, heapq, itertools, math, operator, statistics, string
from collections import Counter, defaultdict, deque
def execute_command(image):
    p = ImagePatch(image)
    xs, d, h, s, n = [3, 1, 2, 3], deque([1, 2, 3], 4), [1, 4, 2], {2, 9, 40}, 2
"""

NUMBERS = ["0", "1", "2", "3", "-1", "7", "0.5", "2.5", "-3.25", "10**18", "True", "n", "len(xs)"]
SMALL = ["0", "1", "2", "3", "-1", "n"]
LISTS = (
    "[1, 2, 3]", "[]", "[5, 3, 3, 1]", "['b', 'a', 'ab']", "range(4)", "'hello'", "(2, 2, 7)", "xs", "d",
    "[(1, 'b'), (0, 'a')]", "[[1], [2, 3]]", "{5: 1, 6: 2}", "s", "map(abs, [-2, 1])", "(v for v in xs)",
)  # fmt: skip
FUNCTIONS = (
    "lambda v: v", "lambda v: p.exists(str(v))", "str", "lambda v: -v", "bool", "len", "None",
    "operator.itemgetter(0)",
)  # fmt: skip
PAIRED = ("operator.add", "operator.mul", "max", "lambda a, b: (a, b)", "lambda a, b: a * 2 + b")

CALLS = (
    "list(itertools.chain(L, L))", "list(itertools.chain.from_iterable([L, L]))",
    "list(itertools.product(L, repeat=S))[:20]", "list(itertools.permutations(L, S))[:20]",
    "list(itertools.combinations(L, S))[:20]", "list(itertools.combinations_with_replacement(L, S))[:20]",
    "[(k, list(g)) for k, g in itertools.groupby(L, F)]", "list(itertools.islice(L, S))",
    "list(itertools.islice(itertools.count(N, N), S, 6, 2))", "list(itertools.accumulate(L, O))",
    "list(itertools.accumulate(L, O, initial=N))", "list(itertools.takewhile(F, L))",
    "list(itertools.dropwhile(F, L))", "list(itertools.filterfalse(F, L))", "list(itertools.pairwise(L))",
    "list(itertools.zip_longest(L, L, fillvalue=N))", "list(itertools.starmap(O, zip(L, L)))",
    "list(itertools.compress(L, L))", "list(itertools.repeat(N, S))", "list(itertools.islice(itertools.cycle(L), 5))",
    "[list(t) for t in itertools.tee(L, S)]", "functools.reduce(O, L)", "functools.reduce(O, L, N)",
    "functools.partial(O, N)(N)", "operator.itemgetter(S, S)(L)", "operator.contains(L, N)", "operator.floordiv(N, N)",
    "list(heapq.merge(L, L))", "list(heapq.merge(sorted(xs), [1, 2], key=F, reverse=B))", "heapq.nlargest(S, L, key=F)",
    "heapq.nsmallest(S, L)", "(heapq.heapify(h), heapq.heappush(h, N), heapq.heappop(h), h)",
    "(heapq.heappushpop(h, N), heapq.heapreplace(h, N), h)", "bisect.bisect_left(sorted(L), N)",
    "bisect.bisect(xs, N, key=F)", "(bisect.insort(xs, N), xs)", "copy.copy(L)", "copy.deepcopy([L, xs, d])",
    "statistics.mean(L)", "statistics.median(L)", "statistics.mode(L)",
    "statistics.fmean(L)", "statistics.stdev(L)", "statistics.pvariance(L)", "statistics.multimode(L)",
    "operator.abs(N)", "operator.or_(S, S)", "operator.and_(s, set(M))", "operator.getitem(L, S)",
    "string.digits[S:]", "math.comb(S, S)",
    "math.perm(S, S)", "math.factorial(S)", "math.copysign(N, N)", "math.fsum(L)", "math.prod(L)", "math.gcd(N, S)",
    "math.lcm(S, N)", "math.isqrt(N)", "math.modf(N)", "math.frexp(N)", "math.remainder(N, N)", "math.floor(N)",
    "math.hypot(N, N)", "math.log1p(N)", "math.tanh(N)", "math.isclose(N, N)",
    "d.append(N)", "d.appendleft(N)", "d.pop()", "d.popleft()", "d.extend(L)", "d.extendleft(L)", "d.rotate(S)",
    "d.remove(N)", "d.index(N)", "d.insert(S, N)", "d.count(N)", "d.reverse()", "d[S]", "deque(L, S)", "deque(L)",
    "d == deque(L)", "d + deque(L)", "d.copy()", "N in d", "sorted(d, key=F)", "list(zip(d, L))", "d[S] in xs",
    "s & set(M)", "s | set(M)", "s - set(M)", "s ^ {N}", "s.add(N)", "s.discard(S)", "sorted(s & set(M))", "s.union(M)",
    "list(s)", "{v for v in M}", "set(M) <= s", "s.intersection(M, M)", "frozenset(M)", "Counter(L).most_common(S)",
    "dict(zip(L, L))", "max(L, key=F)", "sum(L)", "list(reversed(L))", "list(map(O, L, L))", "list(filter(F, L))",
    "xs.sort(key=F, reverse=B)", "xs[S:S:2]", "list(enumerate(L, S))", "any(F(v) for v in L)",
)  # fmt: skip


class _Calls:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.kinds = {
            # a set of texts has no order of its own in Python, so that M has no texts
            "L": LISTS, "M": [text for text in LISTS if "'" not in text],
            "N": NUMBERS, "S": SMALL, "F": FUNCTIONS, "O": PAIRED, "B": ("True", "False"),
        }  # fmt: skip

    def call(self) -> str:
        text = self.random.choice(CALLS)
        out = ""
        for i, letter in enumerate(text):
            alone = not (text[i - 1 : i].isalnum() or text[i + 1 : i + 2].isalnum())
            if letter in self.kinds and alone:
                filling = self.random.choice(self.kinds[letter])
                out += f"({filling})" if letter == "F" else filling
            else:
                out += letter
        return out

    def statement(self) -> list[str]:
        if self.random.random() < 0.1:
            return [
                self.random.choice(
                    ["del xs[S:]", "del d[0]", "s &= {2, 9}", "d += [1]", "s |= {1, 6}"]
                )
            ]
        return [f"print({self.call()})"]


def library_program(random: Random) -> str:
    """One random program."""
    calls = _Calls(random)
    lines = HEAD.strip().splitlines()
    for _ in range(random.randint(2, 5)):
        body = [
            line.replace("S", random.choice(SMALL)) if "del" in line else line
            for line in calls.statement()
        ]
        lines += ["    try:", *(f"        {line}" for line in body)]
        lines += ["    except Exception as e:", "        print(type(e).__name__)"]
    lines += ["    print(xs, d, h, len(s), n)", "    return len(d)"]
    return "\n".join(lines) + "\n"
