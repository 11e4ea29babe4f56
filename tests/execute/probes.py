"""Small expressions over the language that programs have; each must equal CPython's value, error
type, or be refused.
"""

from __future__ import annotations

_EXPRESSIONS = r"""
1/3 ; 1e22 ; 1e16 ; 1e-5 ; 123456789.123456789 ; 0.1+0.2 ; 1e100 ; float(5) ; -0.0 ; 1e15 ; 1e17 ; 5e-324 ; 1.7976931348623157e308
'%.3f|%5d|%-5s|%x|%e|%g' % (1.5, 3, 'a', 255, 12345.678, 0.00001)
'{:>5}|{:,}|{:.1%}|{!r}|{a}'.format(1, 20000, .3, '4', a=5) ; '{:<5}|{:^7}|{:*>6}'.format('a', 'b', 'c') ; '{0}{1}{0}'.format(1, 2)
'{:05d}|{:+d}|{:x}|{:b}|{:o}|{:e}|{:.3g}'.format(7, 7, 255, 5, 8, 12345.6789, 0.00012345) ; '{:10.3f}|{:<10.2f}|{:,.2f}'.format(3.14159, 2.5, 1234567.891)
f'{3.14159:.2f}' ; f'{1!r:>5}' ; f'{"a":^5}' ; f'{1000000:,}' ; f'{0.256:.1%}' ; f'{True}' ; f'{None}' ; f'{[1, "a"]}' ; f'{{}}' ; f'{5=}' ; f'{1e10}' ; f'{12345.6789:g}'
round(2.5) ; round(3.5) ; round(-0.5) ; round(2.675, 2) ; round(1.005, 2) ; round(0.125, 2) ; round(1234.5, -2) ; round(5, -1) ; round(15, -1) ; round(2.5, None) ; round(1e300, 2) ; round(float('nan'), 1) ; round(-2.675, 2) ; round(0.5) ; round(1.5) ; round(True)
-7//2 ; -7%3 ; 7.5//2 ; -7.5%2 ; divmod(-7, 3) ; divmod(7.5, 2) ; 7 % -3 ; 2**-1 ; 2**0.5 ; (-8)**(1/3) ; 10**20 ; 0**0 ; True+True ; 1/0 ; 1//0 ; 1%0 ; 1.0/0 ; 0.0**-1
int('12') ; int(' 12 ') ; int('0x1f', 16) ; int('12_3') ; int(3.9) ; int(-3.9) ; int('a') ; int('') ; int('3.5') ; int(True) ; int('-7') ; int('１２') ; int([]) ; int(None) ; int(1e18) ; int('101', 2)
float('1e5') ; float(' 2.5 ') ; float('nan') ; float('inf') ; float('a') ; float('') ; float('1_0') ; float(True) ; float('-.5') ; float('+3')
bool('') ; bool('a') ; bool([]) ; bool(0.0) ; bool(None) ; bool({}) ; str(True) ; str(None) ; str(1.0) ; str([1.5, 'a']) ; repr('a') ; repr("it's") ; repr('"') ; repr('a\nb\t') ; repr('é\u200b\x00') ; ascii('é')
'abc'[::-1] ; 'abc'[-2:] ; 'abc'[5:] ; 'abc'[5] ; 'abc'[1:2] ; 'abc'[::2] ; [1,2,3][-1:] ; [1,2,3][::-1] ; (1,2,3)[1:] ; 'abcdef'[4:1:-1] ; [1,2,3][5:] ; [1,2][9]
'a,b,,c'.split(',') ; ' a  b '.split() ; 'a b c'.split(None, 1) ; 'a b c'.rsplit(' ', 1) ; 'a\nb\r\nc'.splitlines() ; 'a'.split('') ; 'a b'.split(maxsplit=1) ; ''.split() ; ''.split(',')
'Hello World'.title() ; "it's a dog".title() ; 'x'.upper() ; 'AbC'.swapcase() ; 'abc DEF'.capitalize() ; 'ß'.upper() ; 'İ'.lower() ; 'Ǆ'.title() ; 'ﬁ'.upper() ; 'ß'.casefold() ; 'ΑΣ'.lower()
'abc'.replace('b', '') ; 'aaa'.replace('a', 'b', 2) ; 'abc'.replace('', '-') ; 'a-b-c'.partition('-') ; 'a-b-c'.rpartition('-') ; 'abc'.find('c') ; 'abc'.find('z') ; 'abcabc'.rfind('c') ; 'abc'.index('z') ; 'abc'.count('') ; 'aaaa'.count('aa')
'abc'.find('c', 1) ; 'abcabc'.find('a', 1, 3) ; 'abc'.startswith(('x', 'a')) ; 'abc'.startswith('b', 1) ; 'abc'.endswith('bc') ; 'abc'.endswith(('x','c')) ; 'abc'.index('c', 0, 2)
'  a '.strip() ; 'xxaxx'.strip('x') ; 'xyaxy'.lstrip('xy') ; 'a\n'.rstrip() ; 'a'.ljust(4, '-') ; 'a'.rjust(4) ; 'a'.center(4, '*') ; 'ab'.center(5) ; '7'.zfill(3) ; '-7'.zfill(4) ; 'abc'.removeprefix('a') ; 'abc'.removesuffix('c')
'12'.isdigit() ; '²'.isdigit() ; '²'.isdecimal() ; '½'.isnumeric() ; 'a1'.isalnum() ; 'é'.isalpha() ; ' '.isspace() ; 'Ab'.istitle() ; 'ab'.islower() ; 'AB1'.isupper() ; ''.isdigit() ; '-1'.isdigit() ; 'é'.isascii() ; '1.5'.isdigit() ; '１'.isdigit()
','.join(['a', 'b']) ; ','.join([]) ; ','.join(['a', 1]) ; ','.join('abc') ; ', '.join({'a': 1}) ; '-'.join(('x',)) ; '-'.join(str(i) for i in range(3))
'a' + 1 ; 1 + 'a' ; 'a' * 3 ; 'a' * -1 ; [1] * 2 ; [1,2] + [3] ; [1] + (2,) ; (1,) + (2,) ; 1 < 'a' ; [1] < [2] ; 'a' < 'b' ; (1, 'a') < (1, 'b') ; None < 1 ; [1] == (1,) ; 1 == 1.0 ; 'a' in 'abc' ; 1 in 'abc' ; '' in 'abc' ; not 1 in [1]
len('é') ; len('👍🏽') ; '👍🏽'[0] ; 'é'[::-1] ; ord('é') ; chr(233) ; chr(-1) ; ord('ab') ; hex(255) ; oct(8) ; bin(5) ; hex(-1) ; chr(0x1F600)
sorted([3, 1, 2]) ; sorted(['b', 'A', 'c']) ; sorted(['b', 'A'], key=str.lower) ; sorted([1, 'a']) ; sorted([(1, 'b'), (1, 'a')]) ; sorted('hello') ; sorted([3, 1], reverse=True) ; sorted({'b': 1, 'a': 2}) ; sorted([True, 0, 2]) ; sorted([1.5, 1]) ; sorted([[2], [1, 5]])
sorted(['bb', 'a', 'cc'], key=len) ; sorted(['bb', 'a', 'cc'], key=len, reverse=True) ; sorted([-3, 2, 1], key=abs) ; sorted([3, 1, 2], key=lambda v: -v) ; sorted([1, 2], key=3) ; sorted(3) ; sorted([1], lambda x: x) ; sorted([[1], 'a'], key=str)
min(3, 1, 2) ; max([1, 5, 3]) ; min([]) ; max([], default=7) ; min('b', 'a') ; max(['a', 'bbb'], key=len) ; min([3, 1], key=lambda v: -v) ; max(1) ; max(1, 'a') ; min([1], [0]) ; max({'a': 1, 'b': 2}) ; max({'a': 3, 'b': 2}, key={'a': 3, 'b': 2}.get) ; min(2.0, 2) ; max(True, 1) ; max('abc') ; min([float('nan'), 1]) ; max(i for i in range(4)) ; min(()) ; max(1, 2, default=3)
sum([1, 2, 3]) ; sum([0.1] * 10) ; sum([[1], [2]], []) ; sum([]) ; sum(['a']) ; sum([1], 5) ; sum((1, 2), start=3) ; sum([True, True]) ; sum(x for x in range(4)) ; sum(3) ; sum(['a'], '') ; sum([1, 'a'])
abs(-3) ; abs(-2.5) ; abs('a') ; pow(2, 3) ; pow(2, 3, 5) ; pow(2, -1) ; any([]) ; all([]) ; any([0, 1]) ; all([1, 0]) ; any(3) ; all('') ; any({}) ; any(x > 2 for x in [1, 2, 3])
list(range(5)) ; list(range(10, 0, -3)) ; list(range(3, 3)) ; range(5)[2] ; range(5)[2:4] ; len(range(0, 10, 3)) ; 3 in range(5) ; 2.0 in range(5) ; range(0, 3) == range(3) ; str(range(3)) ; range(1.5) ; range(5)[-1] ; range(3)[9] ; list(range(2))*2 ; sum(range(101))
list(zip([1, 2], 'ab')) ; list(zip([1], [2, 3])) ; list(zip()) ; dict(zip('ab', [1, 2])) ; list(zip([1, 2], [3], strict=True)) ; list(enumerate('ab')) ; list(enumerate('ab', 1)) ; list(reversed([1, 2])) ; list(reversed('ab')) ; list(reversed(range(3))) ; list(map(str, [1, 2])) ; list(map(lambda a, b: a + b, [1, 2], [3, 4])) ; list(filter(None, [0, 1, ''])) ; list(map(int, ['1', 'a'])) ; list(zip(*[[1, 2], [3, 4]])) ; next(zip([1], [2])) ; next(enumerate(['a'])) ; next(iter([])) ; next(iter([]), 3) ; len(zip([1], [2])) ; zip([1])[0] ; bool(zip()) ; len(map(str, [])) ; reversed({1, 2}) ; reversed(3) ; list(reversed({'a': 1, 'b': 2})) ; [a for a, b in zip('ab', 'cd')] ; next(3) ; iter(3) ; list(iter('ab')) ; next(reversed([1, 2])) ; (lambda z: (list(z), list(z)))(zip([1], [2])) ; (lambda m: (list(m), list(m)))(map(str, [1])) ; (lambda g: (list(g), list(g)))(x for x in [1, 2]) ; (lambda g: (next(g), list(g)))(x for x in [1, 2]) ; 1 in zip([1]) ; (1,) in zip([1]) ; tuple(map(str, (1, 2))) ; set(map(abs, [-1, 1])) ; dict(map(lambda x: (x, 1), 'ab')) ; frozenset(x for x in [1]) ; ''.join(map(str, [1, 2])) ; sorted(map(abs, [-2, 1])) ; max(map(len, ['a', 'bb'])) ; sum(map(int, '123')) ; [*map(str, [1])] ; (lambda *a: a)(*map(str, [1, 2])) ; list(map(None, [1])) ; map(str) ; list(enumerate([1], 'a')) ; all(map(str.isdigit, ['1', '2'])) ; any(filter(None, [0])) ; list(filter(str.isalpha, ['a', '1'])) ; list(map(str.strip, [' a '])) ; list(map(len, 'ab', 'cd'))
{1: 2}[1] ; {}['a'] ; {}.get('a') ; {}.get('a', 3) ; {'a': 1}.pop('a') ; {}.pop('a') ; {}.pop('a', 2) ; {'a': 1}.items() == {'a': 1}.items() ; list({'a': 1}.items()) ; list({'a': 1}.values()) ; {'a': 1, **{'b': 2}} ; {'a': 1} | {'b': 2} ; {[]: 1} ; {(1, 2): 3}[1, 2] ; dict(a=1) ; dict([('a', 1)]) ; dict([1]) ; dict.fromkeys('ab', 0) ; {'a': 1} == {'a': 1.0} ; 'a' in {'a': 1} ; len({'a': 1}) ; {k: v for k, v in [('a', 1)]} ; {'b': 1, 'a': 2}.popitem() ; {}.popitem() ; {'a': 1}.setdefault('a', 2) ; {'a': 1}.copy() ; {'a': 1} < {'a': 2} ; {}.update(3) ; {'a': {'b': 1}}['a']['b'] ; list({'b': 1, 'a': 2}) ; str({'a': [1, (2,)], 'q': "it's"})
{1, 2} | {3} ; {1, 2} & {2} ; {1, 2} - {2} ; {1, 2} ^ {2, 3} ; {1} <= {1, 2} ; {1, 2} == {2, 1} ; set() ; len({1, 1, 2}) ; {[]} ; {1}.union([2]) ; {1, 2}.intersection([2]) ; {1}.issubset({1, 2}) ; {1}.isdisjoint({2}) ; frozenset([1]) == {1} ; sorted({3, 1, 2}) ; {1}.difference([1]) ; {1, 2}.symmetric_difference([2, 3]) ; {1}.remove(2) ; {1}.discard(2) ; set('aab') == {'a', 'b'} ; {1} | [2] ; set(3) ; {1}.pop() ; {1} > set() ; {x % 2 for x in range(5)}
[1, 2, 1].count(1) ; [1, 2].index(2) ; [1].index(3) ; [3].remove(1) ; [].pop() ; [1, 2].pop(0) ; [1].pop(5) ; [1, 2].copy() ; [1, [2, [3]]] ; [1, 2].index(2, 0, 1) ; (1, 2).index(3) ; (1, 2, 2).count(2) ; [] == [] ; [1] is [1] ; [x for x in [1, 2, 3] if x > 1 if x < 3] ; [(a, b) for a in [1, 2] for b in [3, 4]] ; [[y for y in range(x)] for x in range(3)] ; [x for x in 3] ; [*range(3), *[4]] ; [1, 2] * 0 ; list('ab') ; list({'a': 1}) ; list(3) ; tuple([1]) ; tuple('ab') ; [None] * 2 ; [1, 2, 3].index(True)
isinstance(True, int) ; isinstance(1, (str, int)) ; isinstance('a', str) ; isinstance([], list) ; isinstance(1, float) ; isinstance(1, 'a') ; isinstance(p, ImagePatch) ; isinstance(None, type(None)) ; type(1) == int ; type(1) is int ; type('a').__name__ ; type([]) ; type(p).__name__ ; type(None) ; type(1) in (int, str) ; type(len) ; callable(len) ; callable(3) ; callable(lambda: 1) ; callable(str) ; callable(p.find) ; type(lambda: 1).__name__ ; isinstance(True, bool) ; type(1.5)(2) ; type(range(3)).__name__ ; isinstance(1, int | str)
None.x ; 'a'.foo ; (1).foo ; [].foo ; p.foo ; None() ; 3() ; 'a'() ; None[0] ; 3[0] ; len(3) ; len(None) ; None + 1 ; -'a' ; not_defined ; (lambda x: x)() ; (lambda x: x)(1, 2) ; (lambda x: x)(y=2) ; (lambda *a, **k: (a, k))(1, b=2) ; (lambda a, b=2, *c, d=4, **e: (a, b, c, d, e))(1, 3, 5, f=6) ; (lambda: None)() ; 1 if [] else 2 ; 1 and 0 or 3 ; None or 'a' ; 0 or [] ; not [] ; 1 < 2 < 3 ; 3 > 2 > 2 ; 1 == 1 == 1 ; 1 != 2 != 1 ; 5 & 3 ; 5 | 3 ; 5 ^ 3 ; ~5 ; 1 << 3 ; 8 >> 1 ; 1 << -1 ; 1.5 & 1 ; +True ; 1_000 ; 0xff ; 1e3 ; 'a' 'b' ; (1,) ; () ; ... ; True is True ; None is None ; 1 is not None ; [1, 2][True] ; 'abc'[None] ; [1]['a'] ; {1: 2}[[]]
getattr(p, 'left') ; getattr(p, 'foo') ; getattr(p, 'foo', 3) ; hasattr(p, 'left') ; hasattr(p, 'foo') ; hasattr('a', 'lower') ; getattr('a', 'upper')() ; hasattr(3, 'real') ; setattr(p, 'x', 3) ; hasattr([], 'append') ; hasattr(None, 'x') ; getattr([1], 'foo', None)
math.sqrt(2) ; math.floor(-2.5) ; math.ceil(2.1) ; math.pi ; math.e ; math.inf ; math.hypot(3, 4) ; math.atan2(1, 1) ; math.sin(1) ; math.cos(1) ; math.tan(1) ; math.degrees(1) ; math.radians(180) ; math.log(10) ; math.log(8, 2) ; math.log2(8) ; math.log10(1000) ; math.exp(1) ; math.pow(2, 3) ; math.fabs(-2) ; math.gcd(12, 18) ; math.isnan(math.nan) ; math.isclose(0.1 + 0.2, 0.3) ; math.isinf(math.inf) ; math.sqrt(-1) ; math.log(0) ; math.trunc(-2.5) ; math.fmod(-7, 3) ; math.dist([0, 0], [3, 4]) ; math.prod([1, 2, 3]) ; math.acos(2) ; math.asin(0.5) ; math.atan(1) ; math.isfinite(1) ; math.floor('a') ; math.ceil(-0.5) ; math.floor(1e300) ; math.gcd(0, 0) ; math.hypot(1, 2, 3)
re.findall('a+', 'aaba') ; re.search('b', 'abc').group() ; re.match('b', 'abc') ; re.sub('a', 'x', 'banana') ; re.split(',', 'a,b') ; re.fullmatch('a.c', 'abc').group(0) ; re.findall(r'(\w)(\d)', 'a1 b2') ; re.search(r'(?P<n>\d+)', 'a12').group('n') ; re.sub(r'(\w)', r'<\1>', 'ab') ; re.findall('A', 'aA', re.I) ; re.search(r'\d+', 'ab12cd').span() ; re.escape('a.b') ; re.sub(r'[^0-9\.\-]', '', 'a1.5-') ; re.findall(r'\d+', '1 22 333') ; re.search('(', 'a') ; re.split(r'\s+', 'a  b') ; bool(re.match(r'^\d$', '5')) ; re.sub('a', lambda m: m.group().upper(), 'banana') ; re.search('x', 'abc') ; re.search(r'(?<=a)b', 'ab').start() ; re.findall(r'\bw\w*', 'what is wow') ; re.search(r'(a)|(b)', 'b').groups() ; re.sub('a', 'b', 'aaa', count=1) ; re.split(r'(,)', 'a,b') ; re.findall(r'[é]', 'é')
Counter('aab') ; Counter('aab').most_common(1) ; Counter(['b', 'a', 'b', 'a']).most_common() ; Counter('aab')['z'] ; sorted(Counter('aab').items()) ; Counter('ab') + Counter('b') ; sum(Counter('aab').values()) ; Counter(a=1)['a'] ; len(Counter('aab')) ; 'a' in Counter('a') ; Counter('abc').most_common(2) ; dict(Counter('aa')) ; max(Counter('aab'), key=Counter('aab').get)
defaultdict(int)['a'] ; defaultdict(list) ; len(defaultdict(list)) ; dict(defaultdict(int)) ; defaultdict(lambda: 3)['x']
json.dumps({'a': [1, None, True, 1.5, 'é']}) ; json.loads('{"a": [1, null, 1.5]}') ; json.loads('x') ; json.dumps([1, 2], indent=1) ; json.dumps({'b': 1, 'a': 2}, sort_keys=True) ; json.dumps({1: 2}) ; json.dumps(float('nan')) ; json.dumps({1, 2})
coerce_to_numeric('12 dogs') ; coerce_to_numeric('10-15') ; coerce_to_numeric('-3.5') ; coerce_to_numeric('none') ; coerce_to_numeric('two') ; coerce_to_numeric('$1,000') ; coerce_to_numeric('x', no_string=True) ; formatting_answer([1.0, True, 'a']) ; formatting_answer(2.5) ; formatting_answer(3.0) ; formatting_answer(False) ; formatting_answer(' a ') ; bool_to_yesno(1) ; bool_to_yesno('') ; distance(3, 5) ; distance(p, p) ; distance(p.crop(0, 0, 10, 10), p.crop(20, 0, 30, 10)) ; distance(p.crop(0, 0, 10, 10), p.crop(20, 30, 30, 40)) ; distance(p, 3) ; p == ImagePatch(image) ; p != p.crop(0, 0, 5, 5) ; str(p) ; [p] ; p in [ImagePatch(image)] ; hash(p) ; len({p, ImagePatch(image)}) ; p.crop(0, 0, 10, 10).crop(2, 2, 5, 5) ; p.crop(-5, -5, 9999, 9999) ; p.crop(10, 10, 5, 20) ; p.crop(1.9, 2.9, 10.5, 20) ; p.crop('a', 0, 1, 1) ; p.crop(0, 0, 10) ; p.overlaps_with(0, 0, 5, 5) ; p.overlaps(p) ; p.width, p.height, p.horizontal_center, p.vertical_center ; p.label ; image.width ; image.size ; ImagePatch(image, 0, 0, 10, 10) ; ImagePatch(image, left=5) ; ImagePatch(p) ; ImagePatch(3) ; p < p ; p + p ; p.crop(0, 0, 10, 10).expand_patch_with_surrounding() ; p.crop(100, 100, 120, 140).expand_patch_with_surrounding() ; p[0] ; len(p) ; bool(p) ; p()
p.find('cup') ; p.find('no cup') ; p.exists('cup') ; p.simple_query() ; p.simple_query('x') ; p.visual_question_answering('x') ; p.verify_property('a', 'b') ; p.best_text_match(['a', 'b'], 'x') ; p.best_text_match(('a', 'b')) ; p.image_caption() ; p.compute_depth() ; p.read_text() ; llm_query('a', long_answer=True) ; llm_query('a', True) ; p.llm_query('a') ; p.llm_query('a', long_answer=False) ; language_question_answering('x') ; best_image_match(p.find('cup') + [p], ['a']) ; best_image_match([], ['a']) ; best_image_match([p, p], 'a', return_index=True) ; p.find() ; p.find('a', 'b') ; p.find(3) ; p.find(object='a') ; p.find(nothing='a') ; p.exists(None) ; p.verify_property('a') ; p.best_text_match('abc') ; p.best_text_match([]) ; p.best_text_match([1]) ; p.find('a')[0].label ; [c.left for c in p.find('cup')] ; ImagePatch.find(p, 'cup') ; list(map(p.exists, ['a', 'b'])) ; (lambda f: f('x'))(p.find) ; (lambda f: f('x'))(llm_query) ; None.find(p.simple_query('a')) ; 'abc'.find(p.simple_query('b')) ; missing(p.simple_query('c')) ; sorted(p.find('cup'), key=lambda c: c.compute_depth()) ; p.simple_query(question='a') ; p.simple_query(query='a') ; llm_query(query='a')
""".strip()

PROBES: list[str] = [
    part.strip() for line in _EXPRESSIONS.splitlines() for part in line.split(" ; ")
]

_STATEMENTS = r"""
x = [1, 2, 3]; del x[0]; return x
x = {'a': 1}; del x['b']; return x
x = [1]; del x[5]; return x
a, *b = [1, 2, 3]; return (a, b)
a, b = [1, 2, 3]; return a
a, b = (x for x in [1, 2, 3]); return a
(a, b), c = (1, 2), 3; return a + b + c
x = y = [1]; x.append(2); return y
x = [1, 2, 3]; x[1:2] = [7, 8]; return x
x = [1]; x += (2, 3); return x
x = (1,); x += (2,); return x
x = 5; x //= 2; x **= 3; x -= 1; x %= 4; return x
x = [1, 2, 3, 4]; [x.remove(i) for i in x if i < 4]; return x
x = []; x.extend(str(i) for i in range(3)); return x
x = {'a': 1}; x.update(b=2); x.update({'c': 3}); return x
x = [3, 1, 2]; x.sort(); x.reverse(); return x
x = ['b', 'A']; x.sort(key=str.lower); return x
x = [1]; x.insert(0, 5); x.insert(99, 6); return x
x = [1, 2]; y = x.copy(); y.clear(); return (x, y)
f = [lambda: i for i in range(3)]; return [g() for g in f]
f = [lambda i=i: i for i in range(3)]; return [g() for g in f]
e = enumerate(['a', 'b']); next(e); return list(e)
z = zip([1, 2], [3, 4]); a = next(z); return (a, list(z), list(z))
x = [1, 2, 3]; r = reversed(x); x.append(4); return list(r)
x = [1, 2]; z = enumerate(x); x.append(3); return list(z)
x = iter([1, 2, 3]); return (list(zip(x, x)), list(x))
x = map(str, [1, 2]); return (next(x), list(x))
s = 'abc'; s = s.upper; return s()
x = 'a b'.split; return x()
f = str.upper; return f('a')
f = str.upper; return f(3)
f = [].append; f(1); return f
x = [1, 2, 3]; it = iter(x); x.pop(); return list(it)
g = (x for x in [1, 2]); h = g; next(g); return list(h)
d = {}; d.setdefault('a', []).append(1); return d
d = {'a': 1, 'b': 2}; d.pop('a'); d['a'] = 3; return list(d)
d = {1: 'a'}; d[True] = 'b'; return d
s = set(); s.add(1); s.add(1.0); s.add(True); return s
x = 10; y = [x for x in range(3)]; return (x, y)
x = 'global'; f = lambda: x; x = 'later'; return f()
assert 1 == 2, 'message'
assert True, 'message'; return 1
raise ValueError('x')
raise ValueError
raise KeyError('a')
raise 3
x = 5; x.y = 3; return x
p.note = 'kept'; return p.note
p.left = 3; return (p.left, p.width)
q = p.crop(0, 0, 10, 10); q.label = 'mine'; return q.label
return print('a', 1, None, [1.5], sep='-', end='!\n')
print(); print('a\nb'); print('é', end=''); print(sep='x'); return 1
print(*[1, 2], sep=None); return 1
print('a', foo=1); return 1
import math; return math.floor(2.5)
import math as m; return m.floor(2.5)
from math import sqrt, pi as PI; return sqrt(4) + PI
x = 1; x: int = 2; y: 'undefined_type'; return x
x = (y := 5) + y; return x
return (lambda n: n and n * 2)(3)
pass; return ...
global G; G = 3; return G
return
""".strip()

STATEMENTS: list[str] = _STATEMENTS.splitlines()

BLOCKS: list[str] = [
    "try:\n    return 1\nfinally:\n    print('f')",
    "for i in range(3):\n    try:\n        if i == 1:\n            continue\n        if i == 2:\n            break\n    finally:\n        print(i)\nreturn i",
    "try:\n    raise ValueError('a')\nexcept ValueError as e:\n    pass\nreturn str(e)",
    "try:\n    raise KeyError('k')\nexcept (ValueError, KeyError) as e:\n    return (type(e).__name__, str(e), e.args)",
    "try:\n    1 / 0\nexcept ArithmeticError as e:\n    return str(e)",
    "try:\n    [][1]\nexcept LookupError as e:\n    return type(e).__name__",
    "try:\n    x = 1\nexcept ValueError:\n    x = 2\nelse:\n    x = 3\nfinally:\n    x += 10\nreturn x",
    "try:\n    try:\n        raise ValueError('a')\n    finally:\n        print('inner')\nexcept ValueError:\n    print('outer')\nreturn 1",
    "try:\n    raise ValueError('a') from KeyError('b')\nexcept ValueError as e:\n    return str(e)",
    "try:\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        raise\nexcept Exception as e:\n    return repr(e)",
    "try:\n    p.find(3)\nexcept TypeError:\n    return 'type'",
    "try:\n    undefined_thing\nexcept NameError as e:\n    return str(e)",
    "def f(x, y=[]):\n    y.append(x)\n    return y\nf(1)\nreturn f(2)",
    "def f(*a, **k):\n    return a, k\nreturn f(1, *[2], x=3, **{'y': 4})",
    "def f(a, *, b):\n    return a + b\nreturn f(1, b=2)",
    "def f(a, *, b):\n    return a + b\nreturn f(1, 2)",
    "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x += 1\n        return x\n    g()\n    return g() + x\nreturn f()",
    "def f():\n    return y\ny = 3\nreturn f()",
    "def f():\n    print(z)\n    z = 1\nf()",
    "def f():\n    pass\nreturn [f()]",
    "def fact(n):\n    return 1 if n < 2 else n * fact(n - 1)\nreturn fact(10)",
    "def f(n):\n    if n:\n        return n\nreturn [f(0), f(1)]",
    "def f(x: int, y: str = 'a') -> str:\n    '''doc'''\n    return y * x\nreturn f(2)",
    "x = 0\nwhile True:\n    x += 1\n    if x > 3:\n        break\nelse:\n    x = 99\nreturn x",
    "x = 0\nwhile x < 3:\n    x += 1\nelse:\n    x = 99\nreturn x",
    "for i in []:\n    pass\nelse:\n    i = 'none'\nreturn i",
    "for i in range(2):\n    for j in range(2):\n        if j:\n            break\n    else:\n        continue\n    print(i, j)\nreturn i",
    "x = [1, 2, 3]\nfor i in x:\n    if i < 10:\n        x.append(i + 10)\nreturn x",
    "x = [1, 2, 3, 4]\nfor i in x:\n    x.remove(i)\nreturn x",
    "x = [1, 2, 3, 4]\nfor i, v in enumerate(x):\n    if v % 2:\n        x.remove(v)\nreturn x",
    "d = {'a': 1}\nfor k in d:\n    d['b'] = 2\nreturn d",
    "d = {'a': 1, 'b': 2}\nfor k in list(d):\n    if k == 'a':\n        d.pop(k)\nreturn d",
    "s = 0\nfor a, (b, c) in [(1, (2, 3))]:\n    s += a * b * c\nreturn s",
    "for p.left in range(3):\n    pass\nreturn p.left",
    "class A:\n    n = 0\n    def __init__(self, x=1):\n        self.x = x\n        A.n += 1\n    def double(self):\n        return self.x * 2\na = A(4)\nA()\nreturn (a.double(), A.n, a.n)",
    "class A:\n    def __init__(self, x):\n        self.x = x\n    def __eq__(self, o):\n        return self.x == o.x\nreturn (A(1) == A(1), A(1) != A(2), A(1) in [A(1)], [A(2), A(1)].index(A(1)))",
    "class A:\n    def __repr__(self):\n        return 'A!'\nreturn f'{A()} {A()!r} {[A()]} {str(A())}'",
    "class A:\n    def __str__(self):\n        return 'S'\n    def __repr__(self):\n        return 'R'\nreturn f'{A()} {A()!r} {[A()]}' + '%s' % A() + '{}'.format(A())",
    "class A:\n    pass\na = A()\na.x = 1\nreturn (a.x, hasattr(a, 'y'), isinstance(a, A), type(a).__name__)",
    "class A:\n    def __call__(self, x):\n        return x + 1\nreturn (A()(3), list(map(A(), [1])))",
    "class A:\n    def __lt__(self, o):\n        return True\nreturn sorted([A(), A()])",
    "class A:\n    def __len__(self):\n        return 3\nreturn len(A())",
    "class A:\n    def __bool__(self):\n        return False\nreturn bool(A())",
    "class A:\n    def find(self, x):\n        return [x]\n    def sort(self):\n        return 's'\n    def extend(self, g):\n        return list(g)\na = A()\nreturn (a.find('q'), a.sort(), a.extend(x for x in [1]))",
    "class A:\n    def m(self):\n        return 1\nA().nope()",
    "class A:\n    x = [i for i in range(3)]\nreturn A.x",
    "class A:\n    def a(self):\n        return [self.b(i) for i in range(2)]\n    def b(self, i):\n        return i * 2\nreturn A().a()",
    "x = [p.exists(str(i)) for i in range(4)]\nreturn any(x) and not all(x)",
    "n = 0\ndef t():\n    nonlocal n\n    n += 1\n    return p.exists(str(n))\nreturn [any(t() for _ in range(5)), all(t() for _ in range(5)), n]",
    "found = (c for c in p.find('cup') if c.exists('x'))\nfor c in found:\n    print(c, c.exists('y'))\n    break\nreturn len(list(found))",
    "found = filter(lambda c: c.exists('x'), p.find('cup'))\nfirst = next(found, None)\nrest = list(found)\nreturn [first is None, len(rest)]",
    "def gen(ps):\n    return (q.simple_query('a') for q in ps)\nreturn list(gen(p.find('cup')))",
    "asks = {name: p.exists(name) for name in map(lambda s: p.simple_query(s), ['a', 'b'])}\nreturn sorted(asks.items())",
    "texts = {p.simple_query(str(i)) for i in range(6)}\nreturn sorted(texts)",
    "a, b = map(lambda s: p.simple_query(s), ['a', 'b'])\nreturn a + b",
    "return max(p.find('cup') + [p], key=lambda c: (c.exists('x'), c.compute_depth())).left",
    "xs = p.find('cup')\nxs.sort(key=lambda c: c.compute_depth(), reverse=True)\nreturn [c.left for c in xs]",
    "return 'b' in (p.simple_query(q) for q in ['x', 'y', 'z'])",
    "return [x for x in (p.simple_query(q) for q in 'abc') if p.exists(x)]",
    "return sum((len(p.find(n)) for n in ['cup', 'dog', 'cat']), 10)",
    "return dict((n, p.exists(n)) for n in ['a', 'b'])",
    "return tuple(p.exists(n) for n in ['a', 'b']) + tuple([1])",
    "print(*(p.simple_query(n) for n in ['a', 'b']), sep='|')\nreturn 1",
    "x = ['z']\nx += (p.simple_query(n) for n in ['a', 'b'])\nreturn x",
    "if any(c.exists('x') for c in p.find('cup')) and p.exists('y') or p.exists('z'):\n    return 'a'\nreturn 'b'",
    "return [c.left for r in [p.crop(0, 0, 300, 300), p] for c in r.find('cup') if c.exists('q')]",
    "return list(zip(map(lambda q: p.exists(q), 'ab'), map(lambda q: p.simple_query(q), 'cd')))",
    "for i, (a, b) in enumerate(zip(p.find('cup'), p.find('dog'))):\n    print(i, a.left, b.left)\nreturn 'x'",
    "x = 1\ndef f():\n    global y\n    y = 2\nf()\nreturn y",
    "def outer():\n    def inner(n):\n        return n if n == 0 else inner(n - 1)\n    return inner(5)\nreturn outer()",
    "f = lambda n: 1 if n == 0 else n * f(n - 1)\nreturn f(5)",
    "return (lambda f: f(f, 5))(lambda f, n: 1 if n == 0 else n * f(f, n - 1))",
    "x = None\nif x is None:\n    x = []\nx.append(1)\nreturn x or 'none'",
    "x = 5\nif x > 3: return 'big'\nelif x > 1: return 'mid'\nelse: return 'small'",
    "t = ()\nfor i in range(3):\n    t += (i,)\nreturn t",
    "s = ''\nfor c in 'abc':\n    s = c + s\nreturn s",
    "m = [[0] * 2 for _ in range(2)]\nm[0][1] = 5\nreturn m",
    "x = {'a': {'b': [1]}}\nx['a']['b'].append(2)\nreturn x",
    "words = 'the cat the dog'.split()\ncounts = {}\nfor w in words:\n    counts[w] = counts.get(w, 0) + 1\nreturn max(counts, key=counts.get)",
    "a = [1, 2]\nb = a\nb = b + [3]\nreturn (a, b)",
    "a = [1, 2]\nb = a\nb += [3]\nreturn (a, b)",
    "try:\n    return next(x for x in [] if x)\nexcept StopIteration:\n    return 'stop'",
    "def g():\n    return next(iter([]))\nreturn list(g() for _ in range(2))",
    "return list(map(lambda x: next(iter([])), [1]))",
    "try:\n    int('x')\nexcept ValueError:\n    pass\nexcept TypeError:\n    return 't'\nreturn 'v'",
    "while p.exists('a') and not p.exists('b'):\n    return 'in'\nreturn 'out'",
]
