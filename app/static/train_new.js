// The walkthrough to a job: data, model and method, settings, preview and start.  What was chosen
// stays over a reload.
import { amount, h } from "./dom.js";
import { keys } from "./keys.js";
import { get, post, save, toast } from "./server.js";
import { OBJECTIVES, changeStudent, draftKey, firstDraft } from "./train_draft.js";
import { snapshotCard } from "./train_snapshot.js";
import { looks } from "./train_look.js";
import { dropOthers, fields, settingsOf } from "./train_settings.js";
import { percent } from "./train_parts.js";

/** @typedef {import("../js/types").JobModel} JobModel */
/** @typedef {import("../js/types").Judgement} Judgement */
/** @typedef {import("../js/types").TrainForm} TrainForm */

const STEPS = ["Data", "Model and method", "Settings", "Preview and start"];
const METHODS = {
  lora: ["LoRA", "small adapters beside frozen weights; merged at the end"],
  qlora: ["QLoRA", "the same over 4-bit weights: least memory"],
  full: ["Full", "every weight; most memory"],
};
const FIRST = ["vpd", "instruct"];
const NAMED = ["small", "bundled", "distilled"];

/** A weight as a number; what is none is sent as it is, and the server says what it expected. */
const weightOf = (text) => (text.trim() && Number.isFinite(Number(text)) ? Number(text) : text);

/** The published objective and its control come first, the methods of papers behind them. */
const rank = (name) => [...FIRST, name].indexOf(name) + (name in OBJECTIVES ? 0 : 1);

const objectiveWords = ({ objective, weight }) =>
  objective === "vpd" && weight.trim() !== "1" ? `vpd, weight ${weight}` : objective;

/**
 * What the check says of a job, in words: {examples, steps}.
 * @param {Judgement} report
 */
function reportRows(report) {
  const number = (value) => value.toLocaleString("en");
  const examples =
    report && `${number(report.examples)} to train on, ${number(report.held_out)} held out`;
  const steps =
    report?.steps && `${number(report.steps)}, each of ${amount(report.batch, "example")}`;
  return { examples: examples ?? "…", steps: steps || "–" };
}

/** @param {Judgement} report */
function changesOf(report) {
  if (!report?.changed.length) return null;
  return h(
    "p.small",
    {},
    h("span.chip", {}, `${report.changed.length} non-default`),
    " ",
    h("span.mono.soft", {}, report.changed.join(", ")),
  );
}

/** @param {Judgement} report */
function readiness(report) {
  if (!report) return null;
  if (!report.reasons.length) return h("p.small.good", {}, "✓ ready to start");
  const reasons = amount(report.reasons.length, "reason");
  return h("p.small.problem", {}, `${reasons} why it cannot start`);
}

/**
 * A job's model in words: how often it is right, where that was measured.
 * @param {JobModel} model
 */
function modelWords({ id, of, accuracy }) {
  const share = of ? `: ${percent(accuracy)} of ${of} held-out questions right` : "";
  return `what job ${id} left${share}`;
}

/** The walkthrough in `place`; `params` is what the address says. */
export async function walkthrough(place, params) {
  const form = await get("data/train/form");
  const draft = await firstDraft(params, form);
  let report = null;
  let timer = null;
  let latest = 0;
  let now = Math.min(Math.max(Number(params.get("step")) || (params.get("from") ? 4 : 1), 1), 4);

  // what the job would be, and the check of it
  function settings() {
    const out = {
      snapshot: draft.snapshot,
      student: draft.student.trim(),
      objective: draft.objective,
      method: draft.method,
    };
    if (draft.objective === "vpd" && draft.weight.trim() !== "1") {
      out.arguments = { weight: weightOf(draft.weight) };
    }
    for (const [key, value] of Object.entries(draft.values)) {
      const [table, name] = key.split(".");
      if (name) out[table] = { ...out[table], [name]: value };
      else out[key] = value;
    }
    return out;
  }

  function onChange() {
    try {
      localStorage.setItem(draftKey, JSON.stringify(draft));
    } catch {
      /* private window */
    }
    clearTimeout(timer);
    timer = setTimeout(check, 250);
  }

  async function check() {
    const mine = ++latest;
    try {
      const reply = await post("do/train/check", { settings: settings() });
      if (mine !== latest) return;
      report = reply;
    } catch (error) {
      if (mine === latest) {
        report = null;
        toast(error.message, "bad");
      }
      return;
    }
    settingFields.problems(report.problems);
    methodFields?.problems(report.problems);
    student.querySelector(".problem").textContent = report.problems.student ?? "";
    const { problems } = report;
    const text = problems.objective ?? problems.arguments ?? "";
    objectiveProblem.textContent = text;
    summary();
    preview.show(report, settings());
  }

  // 1
  const data = h("section", { "aria-label": STEPS[0] });
  const picture = snapshotCard(data, form.snapshots, draft.snapshot, (hash) => {
    draft.snapshot = hash;
    onChange();
  });

  // 2
  function chooseStudent(one) {
    changeStudent(draft, one, form);
    for (const input of method.querySelectorAll("input")) {
      input.checked = input.value === draft.method;
    }
    settingFields = fields(inner, form.fields, draft.values, onChange);
  }
  const radio = (name, value, words, hint, off = "") =>
    h(
      `label.choice${off ? ".off" : ""}`,
      {},
      h("input", {
        type: "radio",
        name,
        value,
        checked: draft[name] === value,
        disabled: Boolean(off),
        onchange: () => {
          if (name === "student") chooseStudent(value);
          else draft[name] = value;
          weigh();
          onChange();
        },
      }),
      h("span", {}, h("b", {}, words), h("small.soft", {}, off || hint)),
    );
  const models = [
    [
      "small",
      "The small base student",
      "made for two processor cores, and many times as fast to teach; all its weights learn",
    ],
    [
      "bundled",
      "The larger base student",
      "a vision-language model that came with the workbench; adapters learn",
    ],
    [
      "distilled",
      "The distilled student",
      "the small base after it learnt the bundled lessons, answers and rationales of programs: to go on from",
    ],
    ...([...NAMED, ...form.models.map((one) => one.folder)].includes(form.student)
      ? []
      : [[form.student, "The project's student", `what the profile names: ${form.student}`]]),
    ...form.models.map((one) => [one.folder, one.name || one.id, modelWords(one)]),
  ];
  const other = h("input.field", {
    placeholder: "/folder/of/a/checkpoint, or owner/name on a hub",
    "aria-label": "Folder or hub id",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 400,
    value: models.some(([value]) => value === draft.student) ? "" : draft.student,
    oninput: () => {
      chooseStudent(other.value);
      student.querySelector("[value=other]").checked = true;
      onChange();
    },
  });
  const student = h(
    "fieldset",
    {},
    h("legend", {}, "Student"),
    models.map(([value, words, hint]) => radio("student", value, words, hint)),
    h(
      "label.choice",
      {},
      h("input", {
        type: "radio",
        name: "student",
        value: "other",
        checked: !models.some(([value]) => value === draft.student),
        onchange: () => {
          chooseStudent(other.value);
          other.focus();
          onChange();
        },
      }),
      h(
        "span",
        {},
        h("b", {}, "Another"),
        h("small.soft", {}, "any checkpoint of AutoModelForImageTextToText"),
      ),
    ),
    other,
    h("p.problem.small", { role: "alert" }),
  );
  const weight = h("input.field.short", {
    id: "weight",
    value: draft.weight,
    inputmode: "decimal",
    maxlength: 20,
    oninput: () => {
      draft.weight = weight.value;
      onChange();
    },
  });
  const weightRow = h(
    "label.weight",
    { for: "weight" },
    "Weight of the rationale's term",
    weight,
    h("small.soft", {}, "1 as published"),
  );
  const methodSettings = h("div.method-settings");
  const objectiveProblem = h("p.problem.small", { role: "alert" });
  const objective = h(
    "fieldset.abreast",
    {},
    h("legend", {}, "Objective"),
    form.objectives
      .toSorted((a, b) => rank(a.name) - rank(b.name))
      .map((one) =>
        radio(
          "objective",
          one.name,
          { vpd: "VPD", instruct: "Instruct", dpo: "DPO", kto: "KTO" }[one.name] ?? one.name,
          OBJECTIVES[one.name] ?? (one.says || "of a plug-in"),
        ),
      ),
    weightRow,
    methodSettings,
    objectiveProblem,
  );
  const method = h(
    "fieldset.abreast",
    {},
    h("legend", {}, "Method"),
    Object.entries(form.methods).map(([one, why]) =>
      radio("method", one, METHODS[one][0], METHODS[one][1], why),
    ),
  );
  const model = h("section", { "aria-label": STEPS[1] }, student, objective, method);
  let methodFields = null;
  let shownOf = null;
  function weigh() {
    weightRow.hidden = draft.objective !== "vpd";
    const teacher = draft.values["teacher.part"] ?? "";
    const chosen = `${draft.objective} ${teacher}`;
    if (shownOf === chosen) return;
    const own = settingsOf(form, draft.objective, teacher);
    if (shownOf !== null) dropOthers(draft.values, own);
    shownOf = chosen;
    methodSettings.hidden = !own.length;
    methodFields = fields(methodSettings, own, draft.values, (key) => {
      if (key === "teacher.part") {
        weigh(); // each teacher has settings of its own
        methodSettings.querySelector("[data-key='teacher.part'] select")?.focus();
      }
      onChange();
    });
    methodSettings.querySelector("details")?.remove();
  }
  weigh();

  // 3
  const inner = h("div");
  let settingFields = fields(inner, form.fields, draft.values, onChange);
  const third = h("section", { "aria-label": STEPS[2] }, inner);

  // 4
  const last = h("section", { "aria-label": STEPS[3] });
  const preview = looks(last, start);

  async function start(button) {
    button.disabled = true;
    try {
      const { id } = await save("do/train/start", { id: draft.request, settings: settings() });
      localStorage.removeItem(draftKey);
      location.assign(`train?job=${id}`);
    } catch {
      button.disabled = false;
    }
  }

  // around
  const aside = h("aside.card.summary", { "aria-label": "This job" });
  function summary() {
    const snapshot =
      form.snapshots.find((one) => one.hash === draft.snapshot) ?? picture.known(draft.snapshot);
    const name = models.find(([value]) => value === draft.student)?.[1] ?? draft.student;
    const { examples, steps } = reportRows(report);
    const rows = [
      ["Snapshot", snapshot ? snapshot.name || snapshot.hash.slice(0, 12) : "none"],
      ["Examples", examples],
      ["Student", name || "none"],
      ["Objective", objectiveWords(draft)],
      ["Method", draft.method],
      ["Steps", steps],
    ];
    const anew = () => {
      localStorage.removeItem(draftKey);
      location.assign("train?new=1");
    };
    aside.replaceChildren(
      ...[
        h("h2", {}, "This job"),
        h(
          "dl",
          {},
          rows.map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd.hostile", {}, value))),
        ),
        changesOf(report),
        readiness(report),
        h("button.button.small.plain", { type: "button", onclick: anew }, "Begin anew"),
      ].filter(Boolean),
    );
  }

  const sections = [data, model, third, last];
  const tabs = STEPS.map((words, index) =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", onclick: () => go(index + 1) },
        h("span.number", {}, String(index + 1)),
        h("span", {}, words),
      ),
    ),
  );
  const back = h("button.button", { type: "button", onclick: () => go(now - 1) }, "Back");
  const next = h("button.button.main", { type: "button", onclick: () => go(now + 1) });

  function go(to, focus = true) {
    now = to;
    sections.forEach((one, index) => {
      one.hidden = index + 1 !== now;
    });
    tabs.forEach((one, index) => {
      const button = one.firstChild;
      if (index + 1 === now) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    });
    back.hidden = now === 1;
    next.hidden = now === 4;
    preview.button.hidden = now < 4;
    next.textContent = now < 4 ? `Next: ${STEPS[now].toLowerCase()}` : "";
    history.replaceState(null, "", `train?new=1&step=${now}`);
    preview.visible(now === 4);
    if (focus) tabs[now - 1].firstChild.focus();
  }

  place.replaceChildren(
    h("ol.steps", { "aria-label": "Steps" }, tabs),
    h(
      "div.walk",
      {},
      h(
        "div.card.walk-main",
        {},
        sections,
        h("div.actions.between", {}, back, next, preview.button),
      ),
      aside,
    ),
  );
  keys(
    "New job",
    STEPS.map((words, index) => [String(index + 1), words.toLowerCase(), () => go(index + 1)]),
  );
  go(now, false);
  summary();
  onChange();
  return { look: async () => {} };
}
