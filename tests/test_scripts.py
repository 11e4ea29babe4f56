"""The scripts of pages and widgets: formatted, within their rules, typed, built from a lock."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
JS = ROOT / "app" / "js"
BUNDLE = ROOT / "app" / "static" / "codemirror.js"

RULES = {
    "node.innerHTML = text;": "no-restricted-properties",
    'node.insertAdjacentHTML("beforeend", text);': "no-restricted-properties",
    "eval(text);": "no-eval",
    "export const a = b ? 1 : c ? 2 : 3;": "no-nested-ternary",
    "export const a = (b) => (c) => b ? [c ? 1 : 2] : 3;": "no-restricted-syntax",
    "export const a = b == c;": "eqeqeq",
    "const a = 1;": "no-unused-vars",
    f"export const f = (n) => {{ {' '.join(f'if (n === {i}) return {i};' for i in range(11))} }};": "complexity",
    f"export const a = {' + '.join(['1234567890'] * 12)};": "max-len",
}


def node(*words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Node in the repository, or leave the test out where there is none."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node is needed to look at scripts")
    return subprocess.run(
        [program, *words], cwd=ROOT, input=text, capture_output=True, text=True, timeout=240
    )


def tool(name: str) -> str:
    """Path of a package's command, or leave the test out where npm has installed nothing."""
    path = JS / "node_modules" / ".bin" / name
    if not path.exists():
        pytest.skip("npm's packages are not installed; make check installs them")
    return str(path)


LINT = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const { ESLint } = await import(pathToFileURL("app/js/node_modules/eslint/lib/api.js"));
const eslint = new ESLint({ overrideConfigFile: "app/js/eslint.config.js" });
const said = [];
for (const text of JSON.parse(process.argv[1])) {
  const [report] = await eslint.lintText(text, { filePath: "app/static/probe.js" });
  said.push(report.messages.map((message) => message.ruleId));
}
console.log(JSON.stringify(said));
"""


@pytest.mark.slow  # make check says the same
def test_scripts_are_formatted_and_keep_their_rules() -> None:
    tool("prettier")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is needed to check scripts")
    command = [npm, "--prefix", str(JS), "run", "--silent", "check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_linter_refuses() -> None:
    tool("eslint")
    done = node("--input-type=module", "--eval", LINT, json.dumps(list(RULES)))
    assert done.returncode == 0, done.stderr
    said = zip(RULES.items(), json.loads(done.stdout), strict=True)
    assert [(text, rules) for (text, rule), rules in said if rule not in rules] == []


def test_the_types_of_replies_are_those_of_the_routes() -> None:
    script_types = pytest.importorskip("script_types", reason="pip install 'vpd-workbench[app]'")
    text = script_types.TARGET.read_text(encoding="utf-8")
    assert text == script_types.current(), "make types writes it anew"


@pytest.mark.parametrize(
    "changes",
    [
        [
            ("app/static/train.js", "reply.jobs", "reply.joobs"),
            ("app/static/train_snapshot.js", "report.leak", "report.leaks"),
            ("app/static/train_parts.js", "job.silent", "job.quiet"),
            ("app/static/side.js", "step.short ||", "step.shorter ||"),
            ("app/static/side.js", "started: ({ cold })", "started: ({ chilly })"),
            ("app/static/step.js", "now.events", "now.event"),
            ("app/static/step.js", "({ rows, same, more })", "({ rows, same, most })"),
            ("app/static/shell.js", "device.heat", "device.warmth"),
            ("workbench/widgets/static/monitor.js", "value.toFixed(0)", "(1).toFixd(0)"),
        ],
        [("app/js/types.d.ts", "  cursor: string;", "  position: string;")],
    ],
    ids=["scripts", "types"],
)
def test_a_key_that_no_reply_has_is_refused(
    changes: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    for part in ("app/js", "app/static", "workbench/screen/static", "workbench/widgets/static"):
        ignored = shutil.ignore_patterns("node_modules")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignored)
    for file, old, new in changes:
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new), encoding="utf-8")
    done = node(tool("tsc"), "-p", str(tmp_path / "app" / "js"))
    named = set(re.findall(r"'(\w+)' does not exist on type", done.stdout))
    for _, old, new in changes:
        word = set(re.findall(r"\w+", old if "types" in changes[0][0] else new))
        assert word & named, f"{new}: {done.stdout}"


@pytest.mark.parametrize("name", ["trace", "table", "queue", "monitor", "side"])
def test_a_widgets_modules_join_into_one(name: str, tmp_path: Path) -> None:
    """Names on top of two files that are joined must not meet."""
    base = pytest.importorskip("workbench.widgets.base", reason="pip install anywidget")
    path = tmp_path / "widget.mjs"
    path.write_text(base.script("playing.js", f"{name}.js"), encoding="utf-8")
    done = node("--check", str(path))
    assert done.returncode == 0, done.stderr


def test_what_is_installed_is_pinned_and_names_no_registry() -> None:
    package = json.loads((JS / "package.json").read_text(encoding="utf-8"))
    versions = package["devDependencies"].values()
    assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    lock = json.loads((JS / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []


@pytest.mark.slow
def test_the_program_editor_is_what_its_lock_builds(tmp_path: Path) -> None:
    tool("esbuild")
    target = tmp_path / "codemirror.js"
    done = node("app/js/build.js", str(target))
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == BUNDLE.read_bytes(), "make editor builds it anew"


def test_the_program_editor_names_its_origin_and_licences() -> None:
    head = BUNDLE.read_text(encoding="utf-8").split("*/")[0]
    assert re.search(r"@codemirror/view \d", head)
    assert head.count("Permission is hereby granted") >= 2


@pytest.mark.parametrize("room", ["app/static", "workbench/widgets/static"])
def test_every_import_names_an_export(room: str, tmp_path: Path) -> None:
    """Pages are served the player's modules beside their own; widgets reach them by their path."""
    served = tmp_path / room
    player = ROOT / "workbench" / "screen" / "static"
    shutil.copytree(ROOT / room, served)
    for path in player.glob("*.js"):
        for folder in (served, tmp_path / player.relative_to(ROOT)):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder)
    scripts = [str(path) for path in served.glob("*.js") if path.name != BUNDLE.name]
    out = tmp_path / "out"
    words = (
        "--bundle",
        "--format=esm",
        "--log-level=warning",
        f"--outdir={out}",
        "--external:./codemirror.js",
    )
    done = subprocess.run(
        [tool("esbuild"), *words, *scripts], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize(
    "script", ["app/static/dom.js", "workbench/screen/static/player_elements.js"]
)
def test_marks_of_direction_are_shown_as_their_codes(script: str) -> None:
    elements = json.loads(
        node(
            "--input-type=module",
            text=f"""
import {{ readFileSync }} from "node:fs";
const source = readFileSync("{script}", "utf8");
const {{ h }} = await import("data:text/javascript," + encodeURIComponent(source));
globalThis.document = {{
  createElement: (localName) => ({{
    localName, children: [], attributes: {{}}, dataset: {{}},
    append(...more) {{ this.children.push(...more); }},
    setAttribute(key, value) {{ this.attributes[key] = value; }},
  }}),
}};
const text = "a\\u202eb\\u2066c\\u200fé";
console.log(JSON.stringify([
  h("p", {{ title: text, value: text }}, text, [text, h("b", {{}}, 7)]), h("textarea", {{}}, text),
]));
""",
        ).stdout
    )
    text, codes = "a\u202eb\u2066c\u200fé", r"a\u202eb\u2066c\u200fé"
    paragraph, field = elements
    assert paragraph["attributes"] == {"title": codes, "value": text}
    assert paragraph["children"][:2] == [codes, codes]
    assert paragraph["children"][2]["children"] == [7]
    assert field["children"] == [text]
