// The key map: every screen says which keys it takes; `?` lists them all.  Keys work only while
// nobody types.
const tables = [];
let begun = "";
let timer = null;

/**
 * Take keys.  `rows` are [key, what it does, run] with `key` as KeyboardEvent.key has it ("x",
 * "X" for Shift+x, "ArrowLeft", " "), with "Ctrl+" before it (Cmd counts as Ctrl; such keys work
 * inside text as well), or two letters one after the other ("g b").  `run` gets the event; when it
 * returns false the key was not wanted.  A row without `run` is only listed.  Returns a function
 * that lets the keys go.
 */
export function keys(title, rows) {
  const table = { title, rows };
  tables.push(table);
  return () => tables.splice(tables.indexOf(table), 1);
}

/** All tables, for the help overlay. */
export const keyTables = () => tables.filter((table) => table.rows.length);

const NAMES = {
  " ": "Space",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
};

/** A key as it is printed. */
export function keyLabel(key) {
  if (key === "+") return key; // not the sign between Ctrl and a letter
  if (/^[A-Z]$/.test(key)) return `Shift ${key.toLowerCase()}`;
  return key
    .split("+")
    .map((part) => NAMES[part] ?? part)
    .join(" ");
}

const TEXT_FIELDS = [
  "input:not([type=checkbox], [type=radio], [type=range], [type=button])",
  "textarea",
  "select",
  "[contenteditable]",
].join(", ");

/** Whether an event happens where text is typed. */
export const inText = (target) => target instanceof Element && target.closest(TEXT_FIELDS) !== null;

function run(name, event) {
  for (const { rows } of [...tables].reverse()) {
    for (const [key, , work] of rows) {
      if (key === name && work && work(event) !== false) {
        event.preventDefault();
        return true;
      }
    }
  }
  return false;
}

/** Whether a key is the control's own: Space and Enter press it, arrows move a slider. */
function belongsToControl({ target, key }) {
  if (!(target instanceof Element)) return false;
  const control = target.closest("button, a, summary, input, [role=button]");
  if (!control) return false;
  if (key === " " || key === "Enter") return true;
  return control.matches("input[type=range]") && key.startsWith("Arrow");
}

const beginsPair = (key) =>
  tables.some(({ rows }) => rows.some(([name]) => name.startsWith(`${key} `) && name.length > 2));

/** A key alone, or the second one of a pair such as "g b". */
function runPlain(event) {
  const first = begun;
  begun = "";
  clearTimeout(timer);
  if (first && run(`${first} ${event.key}`, event)) return;
  if (event.repeat || !beginsPair(event.key)) {
    run(event.key, event);
    return;
  }
  begun = event.key;
  timer = setTimeout(() => {
    begun = "";
  }, 1500);
  event.preventDefault();
}

addEventListener("keydown", (event) => {
  if (event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.ctrlKey || event.metaKey) run(`Ctrl+${event.key}`, event);
  else if (inText(event.target)) {
    if (event.key === "Escape") event.target.blur();
  } else if (!belongsToControl(event)) runPlain(event);
});
