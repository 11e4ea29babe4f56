// The walkthrough to a job: data, model and method, settings, preview and start.  What was chosen stays over a reload.
import { counted, h } from "./dom.js";
import { keys } from "./keys.js";
import { get, newId, post, save, toast } from "./server.js";
import { snapshotCard } from "./train_snapshot.js";
import { looks } from "./train_look.js";
import { fields } from "./train_settings.js";
import { percent } from "./train_parts.js";

const STEPS = ["Data", "Model and method", "Settings", "Preview and start"];
const OBJECTIVES = {
  vpd: "labels and rationales, as published (L = label + weight × rationale)",
  instruct: "labels alone, on the same rows and for the same steps: the control",
};
const METHODS = {
  lora: ["LoRA", "small adapters beside frozen weights; merged at the end"],
  qlora: ["QLoRA", "the same over 4-bit weights: least memory"],
  full: ["Full", "every weight; most memory"],
};
const kept = `vpd-train-draft ${document.body.dataset.scope}`;
const fresh = () => ({
  snapshot: "",
  student: "bundled",
  objective: "vpd",
  weight: "1",
  method: "lora",
  values: {},
  request: newId(),
});

function remembered() {
  try {
    return { ...fresh(), ...JSON.parse(localStorage.getItem(kept) ?? "{}") };
  } catch {
    return fresh();
  }
}

/** A finished or failed job's settings as a draft, with changes. */
function copyOf(job, change) {
  const {
    snapshot,
    student,
    objective,
    arguments: given,
    method,
    lora,
    ...rest
  } = { ...job.settings, ...change };
  const values = {
    ...rest,
    ...Object.fromEntries(Object.entries(lora ?? {}).map(([key, value]) => [`lora.${key}`, value])),
  };
  return {
    ...fresh(),
    snapshot: snapshot.split("/").pop(),
    student,
    objective,
    weight: String(given?.weight ?? 1),
    method,
    values,
  };
}

/** The walkthrough in `place`; `given` is what the address says. */
export async function walkthrough(place, given) {
  const form = await get("/data/train/form");
  let draft = remembered();
  let found = null;
  let timer = null;
  let asked = 0;
  if (given.get("from")) {
    draft = copyOf(
      await get(`/data/train/job?job=${encodeURIComponent(given.get("from"))}`),
      JSON.parse(given.get("change") || "{}"),
    );
    for (const field of form.fields) {
      if (JSON.stringify(draft.values[field.key]) === JSON.stringify(field.default)) {
        delete draft.values[field.key];
      }
    }
  }
  if (given.get("student")) {
    draft.student =
      form.models.find((one) => one.id === given.get("student"))?.folder ?? draft.student;
  }
  if (given.get("snapshot")) draft.snapshot = given.get("snapshot");
  if (!form.snapshots.some((one) => one.hash === draft.snapshot)) {
    draft.snapshot = form.snapshots[0]?.hash ?? "";
  }
  let now = Math.min(Math.max(Number(given.get("step")) || (given.get("from") ? 4 : 1), 1), 4);

  // what the job would be, and the check of it
  function settings() {
    const out = {
      snapshot: draft.snapshot,
      student: draft.student.trim(),
      objective: draft.objective,
      method: draft.method,
    };
    if (draft.objective === "vpd" && draft.weight.trim() !== "1") {
      out.arguments = {
        weight:
          Number.isFinite(Number(draft.weight)) && draft.weight.trim()
            ? Number(draft.weight)
            : draft.weight,
      };
    }
    for (const [key, value] of Object.entries(draft.values)) {
      const [table, name] = key.split(".");
      if (name) out[table] = { ...out[table], [name]: value };
      else out[key] = value;
    }
    return out;
  }

  function changed() {
    try {
      localStorage.setItem(kept, JSON.stringify(draft));
    } catch {
      /* private window */
    }
    clearTimeout(timer);
    timer = setTimeout(check, 250);
  }

  async function check() {
    const mine = ++asked;
    try {
      const reply = await post("/do/train/check", { settings: settings() });
      if (mine !== asked) return;
      found = reply;
    } catch (error) {
      if (mine === asked) {
        found = null;
        toast(error.message, "bad");
      }
      return;
    }
    drawn.problems(found.problems);
    student.querySelector(".problem").textContent = found.problems.student ?? "";
    objective.querySelector(".problem").textContent =
      found.problems.objective ?? found.problems.arguments ?? "";
    summary();
    preview.show(found, settings());
  }

  // 1
  const data = h("section", { "aria-label": STEPS[0] });
  const picture = snapshotCard(data, form.snapshots, draft.snapshot, (hash) => {
    draft.snapshot = hash;
    changed();
  });

  // 2
  const radio = (name, value, words, says, off = "") =>
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
          draft[name] = value;
          weigh();
          changed();
        },
      }),
      h("span", {}, h("b", {}, words), h("small.soft", {}, off || says)),
    );
  const models = [
    [
      "bundled",
      "The bundled student",
      "a small vision-language model that came with the workbench",
    ],
    ...form.models.map((one) => [
      one.folder,
      one.name || one.id,
      `what job ${one.id} left${one.of ? `: ${percent(one.accuracy)} of ${one.of} held-out questions right` : ""}`,
    ]),
  ];
  const other = h("input.field", {
    placeholder: "/folder/of/a/checkpoint, or owner/name on a hub",
    "aria-label": "Folder or hub id",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 400,
    value: models.some(([value]) => value === draft.student) ? "" : draft.student,
    oninput: () => {
      draft.student = other.value;
      student.querySelector("[value=other]").checked = true;
      changed();
    },
  });
  const student = h(
    "fieldset",
    {},
    h("legend", {}, "Student"),
    models.map(([value, words, says]) => radio("student", value, words, says)),
    h(
      "label.choice",
      {},
      h("input", {
        type: "radio",
        name: "student",
        value: "other",
        checked: !models.some(([value]) => value === draft.student),
        onchange: () => {
          draft.student = other.value;
          other.focus();
          changed();
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
      changed();
    },
  });
  const weighed = h(
    "label.weight",
    { for: "weight" },
    "Weight of the rationale's term",
    weight,
    h("small.soft", {}, "1 as published"),
  );
  const objective = h(
    "fieldset.abreast",
    {},
    h("legend", {}, "Objective"),
    form.objectives
      .toSorted((a, b) => (b === "vpd") - (a === "vpd"))
      .map((one) =>
        radio(
          "objective",
          one,
          { vpd: "VPD", instruct: "Instruct" }[one] ?? one,
          OBJECTIVES[one] ?? "of a plug-in",
        ),
      ),
    weighed,
    h("p.problem.small", { role: "alert" }),
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
  function weigh() {
    weighed.hidden = draft.objective !== "vpd";
  }
  weigh();

  // 3
  const inner = h("div");
  const drawn = fields(inner, form.fields, draft.values, changed);
  const third = h("section", { "aria-label": STEPS[2] }, inner);

  // 4
  const last = h("section", { "aria-label": STEPS[3] });
  const preview = looks(last, start);

  async function start(button) {
    button.disabled = true;
    try {
      const { id } = await save("/do/train/start", { id: draft.request, settings: settings() });
      localStorage.removeItem(kept);
      location.assign(`/train?job=${id}`);
    } catch {
      button.disabled = false;
    }
  }

  // around
  const aside = h("aside.card.summary", { "aria-label": "This job" });
  function summary() {
    const chosen =
      form.snapshots.find((one) => one.hash === draft.snapshot) ?? picture.known(draft.snapshot);
    const name = models.find(([value]) => value === draft.student)?.[1] ?? draft.student;
    const rows = [
      ["Snapshot", chosen ? chosen.name || chosen.hash.slice(0, 12) : "none"],
      [
        "Examples",
        found
          ? `${found.examples.toLocaleString("en")} to train on, ${found.held_out.toLocaleString("en")} held out`
          : "…",
      ],
      ["Student", name || "none"],
      [
        "Objective",
        draft.objective === "vpd" && draft.weight.trim() !== "1"
          ? `vpd, weight ${draft.weight}`
          : draft.objective,
      ],
      ["Method", draft.method],
      [
        "Steps",
        found?.steps
          ? `${found.steps.toLocaleString("en")}, each of ${counted(found.batch, "example")}`
          : "–",
      ],
    ];
    aside.replaceChildren(
      ...[
        h("h2", {}, "This job"),
        h(
          "dl",
          {},
          rows.map(([key, value]) => h("div", {}, h("dt", {}, key), h("dd.hostile", {}, value))),
        ),
        found?.changed.length
          ? h(
              "p.small",
              {},
              h("span.chip", {}, `${found.changed.length} non-default`),
              " ",
              h("span.mono.soft", {}, found.changed.join(", ")),
            )
          : null,
        found?.reasons.length
          ? h(
              "p.small.problem",
              {},
              counted(found.reasons.length, "reason"),
              " why it cannot start",
            )
          : found
            ? h("p.small.good", {}, "✓ ready to start")
            : null,
        h(
          "button.button.small.plain",
          {
            type: "button",
            onclick: () => {
              localStorage.removeItem(kept);
              location.assign("/train?new=1");
            },
          },
          "Begin anew",
        ),
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
    history.replaceState(null, "", `/train?new=1&step=${now}`);
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
  changed();
  return { look: async () => {} };
}
