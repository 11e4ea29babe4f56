// The program of a run: its lines, which of them ran and how often, and the one at the cursor.
import { h, inView } from "./player_elements.js";

function programLine(words, times, toLine) {
  const text = h(
    "span",
    {},
    words.map(([kind, piece]) => (kind ? h(`span.${kind}`, {}, piece) : piece)),
  );
  // a wrapped line hangs below its own indentation
  const indent = text.textContent.search(/\S|$/) + 2;
  text.style.paddingLeft = `${indent}ch`;
  text.style.textIndent = `-${indent}ch`;
  const line = h(
    times ? "li.ran" : "li.never",
    { title: times > 1 ? `ran ${times} times` : null, onclick: toLine },
    text,
  );
  if (times > 1) line.append(h("small", {}, `×${times}`));
  return line;
}

/** The program's section as `node`; `at(line, kind)` stresses a line; `toLine(line)` is a click. */
export function programOf(model, toLine) {
  const lines = model.source.map((words, index) =>
    programLine(words, model.ran[index + 1] ?? 0, () => toLine(index + 1)),
  );
  const list = h(
    "div.vp-lines",
    { tabindex: 0, role: "region", "aria-label": "Program" },
    h("ol", {}, lines),
  );
  const node = h(
    "section.vp-code",
    { "aria-label": "Program" },
    h("header", {}, h("h2", {}, "Program")),
    list,
  );
  let current = null;
  return {
    node,
    at(line, kind) {
      current?.classList.remove("now", "failed");
      current = lines[line - 1];
      if (!current) return;
      current.classList.add(kind === "error" ? "failed" : "now");
      inView(list, current, "down");
    },
  };
}
