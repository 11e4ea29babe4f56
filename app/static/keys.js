// The key map: every screen says which keys it takes; `?` lists them all.  Keys work only while
// nobody types.
//
// Single keys can be changed: what a person chose is kept in this browser, by the table's title and
// the key as the script names it.
import { h } from "./dom.js";

const tables = [];
const store = `vpd-keys ${document.body?.dataset.scope ?? ""}`;
const chosen = readChosen(); // {title: {key: the one chosen in its place}}
const listeners = [];
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

function readChosen() {
  try {
    return JSON.parse(localStorage.getItem(store) ?? "{}");
  } catch {
    return {}; // private window, or not ours
  }
}

/** The key that a row is reached by: the one that was chosen, else its own. */
export const keyOf = (title, key) => chosen[title]?.[key] ?? key;

/** Whether a row's key may be changed: single ones alone, and not those that every page has. */
export const mayChange = (title, [key, , work]) =>
  title !== "Everywhere" && Boolean(work) && key.length === 1 && key !== " ";

/** What another row does that a key reaches; empty where it is free. */
function takenBy(title, own, key) {
  if (tables.some(({ rows }) => rows.some(([name]) => name.startsWith(`${key} `)))) {
    return "the first of two keys";
  }
  for (const table of tables) {
    for (const [name, words] of table.rows) {
      const same = table.title === title && name === own;
      if (!same && keyOf(table.title, name) === key) return words;
    }
  }
  return "";
}

/**
 * Reach a row by another key; a key of null gives it its own back.  Returns what stands in the way,
 * in words, or nothing.
 */
export function changeKey(title, own, key) {
  if (key !== null && key.length !== 1) {
    return "Only single letters, digits and signs can be chosen.";
  }
  if (key === " ") return "The space bar has its own use.";
  const other = takenBy(title, own, key ?? own);
  if (other) return `“${keyLabel(key ?? own)}” is taken: ${other}. Change that one first.`;
  const table = { ...chosen[title], [own]: key ?? own };
  if (table[own] === own) delete table[own];
  chosen[title] = table;
  remember();
  return "";
}

/** Give every row its own key back. */
export function ownKeys() {
  for (const title of Object.keys(chosen)) delete chosen[title];
  remember();
}

export const anyChanged = () => Object.values(chosen).some((table) => Object.keys(table).length);

function remember() {
  try {
    localStorage.setItem(store, JSON.stringify(chosen));
  } catch {
    /* private window: for this page alone */
  }
  for (const tell of listeners) tell();
}

/** Call something now and whenever a key was changed: labels on buttons follow. */
export function onKeys(tell) {
  listeners.push(tell);
  tell();
}

/** The key of a row as it stands on a button. */
export const keyMark = (title, key) =>
  h("kbd", { dataset: { of: title, own: key } }, keyLabel(keyOf(title, key)));

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
  for (const { title, rows } of [...tables].reverse()) {
    for (const [key, , work] of rows) {
      if (keyOf(title, key) === name && work && work(event) !== false) {
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
