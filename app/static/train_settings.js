// The fields of a job's settings: read off what the server says of each, with what is wrong beside
// it.
import { h } from "./dom.js";

/** @typedef {import("../js/types").FormField} FormField */
/** @typedef {import("../js/types").TrainForm} TrainForm */

function fieldText(value) {
  if (Array.isArray(value)) return value.join(", ");
  return value === undefined || value === null ? "" : String(value);
}

/**
 * A field's text as a value of its kind; what does not fit is sent as it is, and the server says
 * what it expected.
 * @param {FormField} field
 */
function parse(field, text) {
  const number = (one) => (one.trim() !== "" && Number.isFinite(Number(one)) ? Number(one) : one);
  const list = text
    .split(",")
    .map((one) => one.trim())
    .filter(Boolean);
  return {
    whole: () => number(text),
    number: () => number(text),
    numbers: () => list.map(number),
    names: () => list,
    text: () => text,
    choice: () => text,
    yes: () => text,
  }[field.kind]();
}

/**
 * Fields in `place`.  `values` holds what differs from the defaults, by key; `onChange(key)` hears
 * of each change.  Returns {problems, fill}.
 */
export function fields(place, all, values, onChange) {
  const rows = new Map();

  function set(field, value) {
    const same = JSON.stringify(value) === JSON.stringify(field.default);
    if (same || (value === "" && field.kind !== "text")) delete values[field.key];
    else values[field.key] = value;
    mark(field);
    onChange(field.key);
  }

  function input(field) {
    const value = values[field.key] ?? field.default;
    const id = `set-${field.key}`;
    if (field.kind === "yes") {
      return h("input", {
        type: "checkbox",
        id,
        checked: value === true,
        onchange: (event) => set(field, event.target.checked),
      });
    }
    if (field.kind === "choice") {
      return h(
        "select",
        { id, onchange: (event) => set(field, event.target.value) },
        field.options.map((one) => h("option", { value: one, selected: one === value }, one)),
      );
    }
    const numeric = ["whole", "number"].includes(field.kind);
    return h("input.field", {
      id,
      value: fieldText(value),
      inputmode: numeric ? "decimal" : null,
      autocomplete: "off",
      spellcheck: "false",
      maxlength: 400,
      "aria-describedby": `says-${field.key}`,
      oninput: (event) => set(field, parse(field, event.target.value)),
    });
  }

  function mark(field) {
    const row = rows.get(field.key);
    const mine = field.key in values;
    row.node.classList.toggle("mine", mine);
    row.reset.hidden = !mine;
  }

  function settingRow(field) {
    const reset = h(
      "button.button.small.plain",
      {
        type: "button",
        hidden: true,
        "aria-label": `${field.label}: back to ${fieldText(field.default) || "nothing"}`,
        onclick: () => {
          delete values[field.key];
          fill();
          onChange(field.key);
          rows.get(field.key).node.querySelector("input, select").focus();
        },
      },
      "reset",
    );
    const problem = h("span.problem.small", { role: "alert" });
    const node = h(
      "div.setting",
      { dataset: { key: field.key } },
      h("label", { for: `set-${field.key}` }, field.label, h("span.mono.soft.key", {}, field.key)),
      h("div.control", {}, input(field), reset),
      h("p.small.soft", { id: `says-${field.key}` }, field.says),
      problem,
    );
    rows.set(field.key, { node, reset, problem, field });
    mark(field);
    return node;
  }

  const groups = { basic: h("div.settings"), advanced: h("div.settings") };
  const count = h("span.chip", { hidden: true });
  const allBack = h(
    "button.button.small",
    {
      type: "button",
      onclick: () => {
        for (const field of all) if (field.group === "advanced") delete values[field.key];
        fill();
        onChange("");
      },
    },
    "Reset the advanced ones",
  );
  const fold = h(
    "details.advanced",
    {},
    h("summary", {}, h("b", {}, "Advanced "), count),
    groups.advanced,
    h("div.actions", {}, allBack),
  );
  place.replaceChildren(groups.basic, fold);

  function fill() {
    for (const group of Object.keys(groups)) {
      groups[group].replaceChildren(
        ...all.filter((field) => field.group === group).map(settingRow),
      );
    }
    tally();
  }

  function tally() {
    const mine = all.filter((field) => field.group === "advanced" && field.key in values).length;
    count.hidden = !mine;
    count.textContent = `${mine} non-default`;
    allBack.disabled = !mine;
  }

  fill();
  return {
    fill,
    /** What is wrong, by key, beside its field; a fold with something wrong opens. */
    problems(messages) {
      for (const [key, { problem, node, field }] of rows) {
        problem.textContent = messages[key] ?? "";
        const control = node.querySelector("input, select");
        if (messages[key]) control.setAttribute("aria-invalid", "true");
        else control.removeAttribute("aria-invalid");
        if (messages[key] && field.group === "advanced") fold.open = true;
      }
      tally();
    },
  };
}

/**
 * The settings of an objective, and those of its teacher where it needs one.
 * @param {TrainForm} form
 */
export function settingsOf(form, name, teacher) {
  const choice = form.objectives.find((one) => one.name === name);
  if (!choice) return [];
  if (!choice.needs_teacher) return choice.fields;
  const own = form.teachers.find((one) => one.name === teacher);
  const part = form.teacher.map((one) => ({ ...one, says: own?.says || one.says }));
  return [...part, ...(own?.fields ?? []), ...choice.fields];
}

/** Takes out the values of another objective and its teacher. */
export function dropOthers(values, own) {
  const names = new Set(own.map((one) => one.key));
  for (const key of Object.keys(values)) {
    const isOfMethod = key.startsWith("arguments.") || key.startsWith("teacher.");
    if (isOfMethod && !names.has(key)) delete values[key];
  }
}
