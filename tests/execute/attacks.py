"""Hostile programs, one property each: what they try, and how the run must end.

`CANARY` stands for the path of a file that must not be read, changed or named in a trace. Each ends
in one of the kinds named (`ok` where the attempt is harmless and the program simply goes on).
"""

from __future__ import annotations

ATTACKS: dict[str, tuple[str, set[str]]] = {}
REFUSED = {"source", "unsupported", "syntax"}


def _body(name: str, body: str, *kinds: str) -> None:
    """An attack inside execute_command."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    ATTACKS[name] = (
        f"def execute_command(image):\n    p = ImagePatch(image)\n{lines}\n    return 'done'\n",
        set(kinds),
    )


def _file(name: str, source: str, *kinds: str) -> None:
    ATTACKS[name] = (source, set(kinds))


# files, network, processes, environment
_body("open_canary", "return open('CANARY').read()", *REFUSED)
_body("open_for_writing", "with open('CANARY', 'w') as f:\n    f.write('x')", *REFUSED)
_body("import_os", "import os\nos.remove('CANARY')", *REFUSED)
_body("import_subprocess", "import subprocess\nsubprocess.run(['rm', 'CANARY'])", *REFUSED)
_body("import_sys", "import sys\nsys.exit(3)", *REFUSED)
_body("import_socket", "import socket\nsocket.create_connection(('127.0.0.1', 9))", *REFUSED)
_body("import_pathlib", "from pathlib import Path\nreturn Path('CANARY').read_text()", *REFUSED)
_body("import_ctypes", "import ctypes\nctypes.string_at(0)", *REFUSED)
_body("import_importlib", "import importlib\nimportlib.import_module('os')", *REFUSED)
_body("import_of_the_host", "from workbench.records import Trace", *REFUSED)
_body("import_by_alias", "import math as os\nreturn str(os.system('id'))", *REFUSED)
_body("submodule_import", "import collections.abc", *REFUSED)
_body("relative_import", "from . import os", *REFUSED)
_body("star_import", "from math import *", *REFUSED)
_body("dunder_import", "__import__('os').remove('CANARY')", *REFUSED)
_body("environment", "import os\nreturn os.environ['VPD_CANARY']", *REFUSED)
_body("math_submodule", "import math\nreturn str(math.os)", *REFUSED)
_body("json_of_a_file", "import json\nreturn json.load(open('CANARY'))", *REFUSED)
_body("re_module_internals", "import re\nreturn str(re.sre_compile)", *REFUSED)
_body("typing_internals", "import typing\nreturn str(typing.sys.modules)", *REFUSED, "runtime")

# evaluation and introspection
_body("eval", "return eval('1+1')", *REFUSED)
_body("exec", "exec('x=1')", *REFUSED)
_body("compile", "compile('1', '', 'eval')", *REFUSED)
_body("globals", "return str(globals())", *REFUSED)
_body("locals", "return str(locals())", *REFUSED)
_body("vars", "return str(vars(p))", *REFUSED)
_body("dir", "return str(dir(p))", *REFUSED)
_body("builtins", "return str(__builtins__)", *REFUSED)
_body("breakpoint", "breakpoint()", *REFUSED)
_body("input", "return input()", *REFUSED)
_body("memoryview", "memoryview(b'x')", *REFUSED)
_body("class_walk", "return str(().__class__.__bases__[0].__subclasses__())", *REFUSED)
_body("mro", "return str((1).__class__.__mro__)", *REFUSED)
_body("function_globals", "def f(): pass\nreturn str(f.__globals__)", *REFUSED)
_body("function_code", "return str((lambda: 0).__code__.co_consts)", *REFUSED)
_body("plain_code_attribute", "return str((lambda: 0).func_code)", "runtime")
_body("frames_of_a_generator", "g = (x for x in [1])\nreturn str(g.gi_frame.f_back)", "runtime")
_body(
    "traceback_frames",
    "try:\n    1 / 0\nexcept Exception as e:\n    return str(e.__traceback__.tb_frame)",
    *REFUSED,
)
_body(
    "traceback_by_getattr",
    "try:\n    1 / 0\nexcept Exception as e:\n    return str(getattr(e, '__traceback__'))",
    "source",
)
_body("getattr_dunder", "return str(getattr(p, '__class__'))", "source")
_body("getattr_joined", "return str(getattr(p, '_' + '_bo' + 'x__'))", "source")
_body(
    "getattr_caught",
    "try:\n    getattr(p, '__dict__')\nexcept BaseException:\n    return 'caught'",
    "source",
)
_body(
    "setattr_dunder", "setattr(p, '__box__', (0, 0, 9999, 9999))\nreturn str(p.find('x'))", "source"
)
_body("hasattr_dunder", "return str(hasattr(p, '__globals__'))", "source")
_body(
    "format_attribute", "return '{0.__class__.__init__.__globals__}'.format(p)", "runtime", "source"
)
_body("format_hidden_state", "return '{0.__box__}'.format(p)", "runtime", "source", "ok")
_body("format_map_trick", "return '{a.__class__}'.format_map({'a': p})", *REFUSED, "runtime")
_body("percent_format_width", "return len('%*d' % (10**9, 1))", "memory", "runtime", "unsupported")
_body("format_width", "return len('{:>999999999}'.format(1))", "memory", "runtime", "unsupported")
_body("fstring_width", "return len(f'{1:999999999}')", "memory", "runtime", "unsupported")
_body("fstring_precision", "return len(f'{1.5:.999999999f}')", "memory", "runtime", "unsupported")
_body("dunder_in_fstring", "return f'{p.__box__}'", *REFUSED)
_body("dunder_keyword", "return str(p.find('x', __site__=3))", *REFUSED)
_body("dunder_in_kwargs", "return str(p.find('x', **{'__site__': 3}))", "runtime")
_body("dunder_print_site", "print('x', **{'__site__': 99999})", "runtime")
_body("hidden_name", "__vpd__(2, [], ('steps', 'x'))", *REFUSED)
_body("hidden_name_by_fullwidth", "＿＿vpd__(2, [], ('steps', 'x'))", *REFUSED)
_body("hidden_state", "__S__[0] = -10**9", *REFUSED)
_body("unicode_ligature_name", "ﬁnd = 3\nreturn str(find)", "ok")
_body("homoglyph_open", "return оpen('CANARY')", "runtime")  # the first letter is Cyrillic
_body("type_of_type", "return str(type(type)('X', (), {}))", "runtime", "unsupported")
_body("new_type", "T = type('T', (object,), {'x': 1})\nreturn str(T().x)", "runtime", "unsupported")
_body("metaclass", "class M(type):\n    pass", *REFUSED)
_body("special_method", "class A:\n    def __getattribute__(self, n):\n        return 1", *REFUSED)
_body("class_deletion_hook", "class A:\n    def __del__(self):\n        pass", *REFUSED)
_body("class_scope_dunder", "class A:\n    __slots__ = ('x',)", *REFUSED)
_body("decorator", "@print\ndef f(): pass", *REFUSED)
_body("yield", "def g():\n    yield 1\nreturn str(list(g()))", *REFUSED)
_body("async", "async def g():\n    pass", *REFUSED)

# time, memory, recursion, steps
_body("endless_loop", "while True:\n    pass", "steps")
_body("endless_for", "x = [1]\nfor i in x:\n    x.append(i)", "steps", "memory")
_body("endless_iter", "for i in iter(lambda: 1, 2):\n    pass", "steps")
_body("endless_comprehension", "return str(len([x for x in range(10**12)]))", "time", "memory")
_body("endless_sum", "return str(sum(range(10**12)))", "time", "memory", "runtime")
_body(
    "nested_ranges",
    "return str(sum(1 for a in range(10**6) for b in range(10**6)))",
    "time",
    "steps",
)
_body(
    "catch_the_limit",
    "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
    "steps",
)
_body(
    "catch_in_finally",
    "def f():\n    try:\n        while True:\n            pass\n    finally:\n        f()\nf()",
    "steps",
    "recursion",
)
_body(
    "limit_inside_sort",
    "def k(v):\n    while True:\n        try:\n            v += 1\n        except BaseException:\n            pass\nreturn str(sorted([1, 2], key=k))",
    "steps",
    "time",
)
_body(
    "limit_inside_native_sort",
    "class K:\n    def __init__(self, v):\n        self.v = v\n    def __eq__(self, o):\n        while True:\n            try:\n                self.v += 1\n            except BaseException:\n                pass\nreturn str([K(1), K(2)].index(K(3)))",
    "steps",
    "time",
)
_body("power_tower", "return str(9**9**9)", "memory", "time", "runtime")
_body("shift", "return str(1 << 10**10)", "memory", "runtime", "time")
_body(
    "factorial_growth",
    "x = 1\nfor i in range(1, 10**6):\n    x *= i\nreturn str(x)",
    "steps",
    "memory",
    "time",
)
_body("large_int_text", "return str(10**5000)", "runtime", "value")
_body("int_of_long_text", "return str(int('9' * 10000))", "runtime", "value")
_body("string_doubling", "s = 'a'\nwhile True:\n    s += s", "memory", "steps")
_body("string_times", "return 'a' * 10**10", "memory", "runtime")
_body("list_times", "return str(len([0] * 10**10))", "memory", "runtime")
_body("list_growth", "x = []\nwhile True:\n    x.append('y' * 1000000)", "memory", "steps")
_body("dict_growth", "return str(len({i: str(i) * 1000 for i in range(10**7)}))", "memory", "time")
_body("join_bomb", "return ('x' * 10**6).join(['y'] * 10**6)", "memory")
_body("replace_bomb", "return ('a' * 10**6).replace('a', 'b' * 10**6)", "memory")
_body("range_list", "return str(len(list(range(10**9))))", "memory", "time")
_body(
    "tuple_nesting",
    "x = ()\nfor i in range(10000):\n    x = (x,)\nreturn str(x)",
    "recursion",
    "runtime",
    "value",
    "memory",
    "steps",
    "infra",
)
_body("self_containing_list", "x = []\nx.append(x)\nreturn x", "value", "recursion", "runtime")
_body(
    "self_containing_argument",
    "x = []\nx.append(x)\nreturn p.best_text_match(x)",
    "runtime",
    "value",
    "recursion",
)
_body(
    "shared_list_bomb",
    "x = ['a']\nfor i in range(40):\n    x = [x, x]\nreturn x",
    "value",
    "runtime",
    "memory",
    "time",
)
_body("recursion", "def f(n):\n    return f(n + 1)\nf(0)", "recursion")
_body("mutual_recursion", "def f():\n    g()\ndef g():\n    f()\nf()", "recursion")
_body("lambda_recursion", "f = lambda: f()\nf()", "recursion")
_body(
    "repr_recursion",
    "class A:\n    def __repr__(self):\n        return repr(self)\nreturn str(A())",
    "recursion",
    "runtime",
)
_body(
    "catch_recursion",
    "def f():\n    try:\n        f()\n    except RecursionError:\n        f()\nf()",
    "recursion",
    "steps",
    "time",
)
_body(
    "hash_collisions",
    "d = {}\nfor i in range(3000):\n    d[i * (2**61 - 1)] = i\nreturn str(len(d))",
    "ok",
    "steps",
    "time",
)
_body(
    "regex_backtracking",
    "import re\nreturn str(re.match('(a+)+$', 'a' * 40 + 'b'))",
    "ok",
    "time",
    "runtime",
)
_body(
    "regex_size",
    "import re\nreturn str(re.match('(((((a{500}){500}){500}){500}){500})', 'a'))",
    "ok",
    "time",
    "memory",
    "runtime",
)

# floods
_body("print_flood", "while True:\n    print('x' * 1000)", "output")
_body("print_one_large", "print('x' * 10**6)", "output")
_body("print_many_arguments", "print(*['x'] * 10**6)", "output", "memory")
_body("print_end", "print('x', end='y' * 10**6)", "output")
_body("tool_flood", "while True:\n    p.find('x')", "tool_calls")
_body("tool_flood_different", "i = 0\nwhile True:\n    i += 1\n    p.exists(str(i))", "tool_calls")
_body(
    "tool_flood_caught",
    "while True:\n    try:\n        p.exists('a')\n    except BaseException:\n        pass",
    "tool_calls",
)
_body("event_flood", "for i in range(10**9):\n    x = [i] * 12", "steps")
_body("long_variable_names", "a" * 5000 + " = 1", "ok", "source")

# forged and weird values for tools
_body(
    "forged_patch",
    "class ImagePatch:\n    def __init__(self):\n        self.left = -5\nreturn distance(ImagePatch(), p)",
    "runtime",
)
_body("moved_patch", "p.left = -10**9\np.right = 10**9\nreturn str(len(p.find('no x')))", "ok")
_body(
    "huge_patch",
    "q = ImagePatch(image, -10**20, -10**20, 10**20, 10**20)\nreturn f'{q.width}x{q.height}'",
    "ok",
)
_body("nan_patch", "ImagePatch(image, float('nan'), 0, 1, 1)", "runtime")
_body("infinite_patch", "ImagePatch(image, 0, 0, float('inf'), 1)", "runtime")
_body("empty_patch", "ImagePatch(image, 5, 5, 5, 5)", "runtime")
_body("patch_of_text", "ImagePatch('CANARY')", "runtime")
_body("patch_of_nothing", "ImagePatch(None)", "runtime")
_body("extra_patch_argument", "ImagePatch(image, 0, 0, 5, 5, ('label', 1.0))", "runtime")
_body("tag_by_keyword", "ImagePatch(image, **{'__tag__': ('x', 1.0)})", "runtime")
_body("function_as_argument", "p.find(lambda: 1)", "runtime")
_body("patch_as_text", "p.find(p)", "runtime")
_body("none_as_text", "p.find(None)", "runtime")
_body("number_as_text", "p.simple_query(3)", "runtime")
_body("long_text_argument", "p.find('x' * 10**6)", "runtime", "value")
_body("surrogate_argument", "p.find('\\ud800')", "runtime", "value", "syntax", "unsupported")
_body("null_argument", "return str(p.exists('a\\x00b'))", "ok")
_body("huge_int_argument", "p.best_text_match([10**100])", "runtime")
_body(
    "nested_argument",
    "x = 'a'\nfor i in range(100):\n    x = [x]\np.best_text_match(x)",
    "runtime",
    "value",
)
_body("many_items", "p.best_text_match(['a'] * 10**6)", "runtime", "value")
_body("too_many_arguments", "p.find(*['a'] * 1000)", "runtime")
_body("unknown_keyword", "p.find('a', path='CANARY')", "runtime")
_body("range_argument", "p.best_text_match(range(3))", "runtime")
_body("dict_argument", "p.best_text_match({'a': 1})", "runtime")
_body("unknown_tool", "p.delete('CANARY')", "runtime")
_body("absent_function", "send_file('CANARY')", "runtime")
_body("shadowed_tool", "find = 3\nfind('x')", "runtime")
_body(
    "overridden_method",
    "p.find = lambda name: ['forged']\nreturn str(p.find('no x'))",
    "unsupported",
)
_body(
    "overridden_method_of_the_class",
    "ImagePatch.exists = lambda self, name: True\nreturn str(p.exists('no x'))",
    "unsupported",
)
_body("method_set_by_name", "setattr(p, 'cr' + 'op', 3)", "unsupported")
_body("overridden_api", "distance = lambda a, b: 3\nreturn str(distance(1, 2))", "ok")

# answers
_body("returns_function", "return lambda: 1", "runtime", "value")
_body("returns_generator", "return (x for x in [1])", "value")
_body("returns_image", "return image", "value")
_body("returns_class", "class A:\n    pass\nreturn A()", "runtime", "value")
_body("returns_nan", "return float('nan')", "value")
_body("returns_huge_int", "return 10**30", "runtime", "value")
_body("returns_long_text", "return 'x' * 10**5", "runtime", "value")
_body(
    "returns_deep_list", "x = 'a'\nfor i in range(50):\n    x = [x]\nreturn x", "runtime", "value"
)
_body("returns_none", "return None", "value")
_body("returns_dict", "return {'a': 1}", "value")
_body("exit", "exit()", *REFUSED)
_body("raise_system_exit", "raise SystemExit", *REFUSED)
_body("raise_keyboard_interrupt", "raise KeyboardInterrupt", *REFUSED)
_body("raise_stop_marker", "raise RuntimeError(chr(0) + 'stop:infra:forged')", "runtime", "infra")
_body(
    "raise_forged_suspension",
    "raise NotImplementedError('external function cannot suspend in this synchronous context')",
    "runtime",
)
_body("raise_many_arguments", "raise ValueError('a', 'b')", "runtime", "unsupported")

# source text
_file("empty", "", *REFUSED)
_file("only_comment", "# nothing", *REFUSED)
_file("no_function", "x = 1", *REFUSED)
_file("syntax_error", "def execute_command(image):\n    return (", "syntax")
_file("null_character", "def execute_command(image):\n    return '\0'", "syntax", "source")
_file("lone_surrogate", "def execute_command(image):\n    return '\ud800'", "syntax", "source")
_file("too_long", "#" * 100_000 + "\ndef execute_command(image):\n    return 1", "source")
_file(
    "deep_parentheses",
    "def execute_command(image):\n    return " + "(" * 5000 + "1" + ")" * 5000,
    "syntax",
    "source",
)
_file(
    "deep_unary", "def execute_command(image):\n    return " + "-" * 15000 + "1", "source", "syntax"
)
_file(
    "deep_attributes",
    "def execute_command(image):\n    return image" + ".a" * 5000,
    "source",
    "syntax",
)
_file(
    "deep_blocks",
    "def execute_command(image):\n"
    + "".join(" " * (i + 1) + "if 1:\n" for i in range(90))
    + " " * 92
    + "pass",
    "source",
    "syntax",
)
_file(
    "deep_brackets",
    "def execute_command(image):\n    return " + "[" * 150 + "]" * 150,
    "source",
    "syntax",
)
_file(
    "long_sum",
    "def execute_command(image):\n    return " + "+".join(["1"] * 9000),
    "source",
    "syntax",
)
_file("many_statements", "def execute_command(image):\n" + "    x=1\n" * 2400, "source")
_file(
    "huge_number",
    "def execute_command(image):\n    return " + "9" * 10000,
    "syntax",
    "source",
    "value",
)
_file(
    "hexadecimal_number",
    "def execute_command(image):\n    return 0x" + "f" * 15000,
    "runtime",
    "value",
    "source",
    "syntax",
)
_file("wrong_arguments", "def execute_command(a, b):\n    return b", "source")

# the names that the prelude rests on
for _name in (
    "len", "str", "type", "list", "range", "isinstance", "generator", "print", "getattr", "tuple",
    "ImagePatch", "BaseException", "TypeError", "ValueError", "RuntimeError", "NotImplementedError",
):  # fmt: skip
    _file(
        f"rebind_{_name}",
        f"{_name} = lambda *a, **k: 0\ndef execute_command(image):\n    for i in [1] * 30:\n"
        "        print('x' * 1000)\n    return 'done'\n",
        *(("ok",) if _name == "print" else ("output", "runtime")),
    )
_body("rebind_by_global", "global len\nlen = lambda x: 0\nprint('x' * 10**6)", "output")
_body("resized_image", "image.width = 10**9\nimage.size = 3\nreturn ImagePatch(image).width", "ok")
_file(
    "bad_encoding",
    "# -*- coding: utf-7 -*-\ndef execute_command(image):\n    return 1",
    "ok",
    "syntax",
)
_file("form_feed", "def execute_command(image):\n\x0c    return 'x'", "ok", "syntax")
_file("carriage_returns", "def execute_command(image):\r    return 'x'\r", "ok", "syntax")
_file(
    "module_level_attack",
    "x = open('CANARY').read()\ndef execute_command(image):\n    return x",
    *REFUSED,
)
_file(
    "default_argument_attack",
    "def execute_command(image, x=open('CANARY')):\n    return x",
    *REFUSED,
)
_file(
    "annotation_attack",
    "def execute_command(image: open('CANARY')):\n    return 'x'",
    "ok",
    *REFUSED,
)
_file(
    "recursion_of_main",
    "def execute_command(image):\n    return execute_command(image)",
    "recursion",
)
_file(
    "redefined_main", "def execute_command(image):\n    return 'a'\nexecute_command = 3", "runtime"
)
_file("async_main", "async def execute_command(image):\n    return 1", *REFUSED)
