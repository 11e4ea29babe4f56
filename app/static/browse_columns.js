// Columns of the table's own: which of them the list and the filters show.
import { amount, h } from "./dom.js";
import { get } from "./server.js";

const MEMORY = `vpd-columns ${document.body.dataset.scope}`;
const FEW = 7;

/**
 * Keeps which columns a person looks at in this project; `shown()` are those of now,
 * `change(columns)` shows others.
 * Returns {kept, keys, menu}: `kept()` are those of last time, `keys()` promises what there is,
 * `menu(keys, columns)` is the list to choose from, null where the table has none of its own.
 */
export function columnsOf(shown, change) {
  let keysRead = null;
  let whole = false;

  function kept() {
    try {
      const columns = JSON.parse(localStorage.getItem(MEMORY) ?? "[]");
      return Array.isArray(columns) ? columns.filter((one) => typeof one === "string") : [];
    } catch {
      return []; // a private window, or another program's text
    }
  }

  function keep(columns) {
    try {
      localStorage.setItem(MEMORY, JSON.stringify(columns));
    } catch {
      /* private window */
    }
    change(columns);
  }

  /** Show a column, or no longer: of those of now, the list may have been drawn before. */
  function toggle(key) {
    const now = shown();
    keep(now.includes(key) ? now.filter((one) => one !== key) : [...now, key]);
  }

  const keys = () => (keysRead ??= get("data/browse/columns").catch(() => []));

  function line({ key, questions, example }, columns) {
    const on = columns.includes(key);
    return h(
      "button",
      {
        type: "button",
        "aria-pressed": String(on),
        dataset: { column: key },
        title: `${amount(questions, "question")}, for example ${example}`,
        onclick: () => toggle(key),
      },
      h("i", { "aria-hidden": "true" }, on ? "✓" : ""),
      h("span", {}, key),
      h("small", {}, questions.toLocaleString("en")),
    );
  }

  function menu(list, columns) {
    if (!list.length) return null;
    const few = list.filter((one, at) => whole || at < FEW || columns.includes(one.key));
    const rest = list.length - few.length;
    const more = () => {
      whole = true;
      node.replaceWith(menu(list, columns));
    };
    const node = h(
      "section.columns",
      { "aria-label": "Columns of your own" },
      h("h2", {}, "Columns of your own"),
      few.map((one) => line(one, columns)),
      rest ? h("button.more", { type: "button", onclick: more }, `${rest} more`) : null,
    );
    return node;
  }

  return { kept, keys, menu };
}
