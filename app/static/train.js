// Train: which view the address asks for, the list of jobs, and the look every few seconds that all views share.
import { counted, h } from "./dom.js";
import { keys } from "./keys.js";
import { get, toast } from "./server.js";
import { job } from "./train_job.js";
import { walkthrough } from "./train_new.js";
import { actions, admin, called, ENDED, main, progress, right, state } from "./train_parts.js";
import { together } from "./train_together.js";

const place = document.querySelector("[data-view]");
const given = new URL(location).searchParams;
const view =
  given.has("new") && admin
    ? "new"
    : given.has("job")
      ? "job"
      : given.has("jobs")
        ? "together"
        : "list";
const fast = Number(given.get("every")) * 1000;
const before = new Map(); // state of each job at the last look
const lines = new Map(); // of the list: what each was made from, and its node
const chosen = new Set(given.get("jobs")?.split(",").filter(Boolean) ?? []);
let jobs = null;
let timer = null;
let shown = null;

document.querySelectorAll("[data-tab]").forEach((one) => {
  if (one.dataset.tab === view) one.setAttribute("aria-current", "page");
});

// --- told when a job ends, if one wants to be

const asked = () =>
  "Notification" in window &&
  Notification.permission === "granted" &&
  localStorage.getItem("vpd-notify") === "on";

function tell() {
  for (const one of jobs) {
    const was = before.get(one.id);
    if (was && was !== one.state && ENDED.includes(one.state) && !ENDED.includes(was)) {
      if (asked()) {
        new Notification(`${called(one)}: ${one.state}`, {
          body:
            one.state === "done" ? `right on ${right(one)} held-out questions` : (one.cause ?? ""),
          tag: one.id,
        });
      }
      if (view === "new") toast(`${called(one)}: ${one.state}`);
    }
    before.set(one.id, one.state);
  }
}

function bell() {
  if (!("Notification" in window)) return null;
  const words = () => (asked() ? "You will be told when a job ends" : "Tell me when a job ends");
  const node = h(
    "button.button.small.plain",
    {
      type: "button",
      dataset: { bell: "" },
      "aria-pressed": String(asked()),
      title: "A message of your browser, while this page is open in any tab",
      onclick: async () => {
        if (asked()) localStorage.removeItem("vpd-notify");
        else if ((await Notification.requestPermission()) === "granted") {
          localStorage.setItem("vpd-notify", "on");
        } else {
          toast(
            "The browser does not allow messages from this page; it can be allowed beside the address.",
            "bad",
          );
        }
        node.setAttribute("aria-pressed", String(asked()));
        node.textContent = words();
      },
    },
    words(),
  );
  return node;
}

// --- the list

/** How a job is getting on: what changes at every look. */
const how = (one) => [
  state(one),
  one.state === "done"
    ? h(
        "p.number",
        {},
        right(one),
        h(
          "span.small.soft",
          {},
          one.first === null || one.first === undefined
            ? ""
            : ` from ${(100 * one.first).toFixed(1)} %`,
        ),
      )
    : one.cause
      ? h("p.small.problem", {}, `cause: ${one.cause}`)
      : one.state === "queued"
        ? ""
        : progress(one),
];

function line(one) {
  const pick = h("input", {
    type: "checkbox",
    checked: chosen.has(one.id),
    "aria-label": `Choose ${called(one)} to compare`,
    onchange: (event) => {
      if (event.target.checked) chosen.add(one.id);
      else chosen.delete(one.id);
      compare();
    },
  });
  return h(
    "li.card.job-line",
    { dataset: { job: one.id, state: one.state } },
    h("label.pick", {}, pick),
    h(
      "div.what",
      {},
      h("a.name", { href: `/train?job=${one.id}` }, called(one)),
      h(
        "p.small.soft",
        {},
        [
          one.objective,
          one.method,
          one.student,
          one.snapshot && `snapshot ${one.snapshot.slice(0, 8)}`,
        ]
          .filter(Boolean)
          .join(" · "),
      ),
      h(
        "p.small.soft.when",
        {},
        h("span.mono", {}, one.id),
        ` · ${new Date(1000 * one.at).toLocaleString("en", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" })}`,
      ),
    ),
    h("div.how", {}, how(one)),
    h("div.acts", {}, actions(one, look, false, jobs)),
  );
}

function compare() {
  const link = document.querySelector("[data-compare]");
  if (!link) return;
  link.hidden = chosen.size < 2;
  link.href = `/train?jobs=${[...chosen].join(",")}`;
  link.textContent = `Compare ${chosen.size} runs`;
  if (chosen.size > 8) {
    link.removeAttribute("href");
    link.textContent = "At most 8 runs";
  }
}

function nothing() {
  const some = Number(main.dataset.snapshots) > 0;
  return h(
    "div.card.empty",
    {},
    h("h2", {}, "No training job yet"),
    h(
      "p.soft",
      {},
      "A job teaches a small vision-language model what your project holds: the answers, and the rationales behind them. It learns from a snapshot, the accepted questions frozen under one hash.",
    ),
    admin
      ? h(
          "p.actions",
          {},
          h("a.button.main", { href: "/train?new=1" }, "New job ", h("kbd", {}, "n")),
          some ? null : h("a.button", { href: "/curate" }, "Curate questions first"),
        )
      : h("p.soft.small", {}, "Starting one needs the role admin."),
    h("code", {}, main.dataset.command),
  );
}

/** Only what changed is put anew: a button under the pointer or in focus stays where it is. */
function list() {
  if (!jobs.length) {
    lines.clear();
    place.replaceChildren(nothing());
    return;
  }
  if (!place.querySelector(".job-list")) {
    place.replaceChildren(
      h(
        "div.above-list",
        {},
        h("p.soft", { dataset: { count: "" } }),
        h("span.grow"),
        h("a.button.small", { dataset: { compare: "" }, hidden: true }),
        bell() ?? "",
      ),
      h("ul.job-list", { "aria-label": "Jobs" }),
    );
  }
  const waiting = jobs.filter((one) => one.state === "queued").length;
  const runs = jobs.some((one) => ["running", "stopping"].includes(one.state));
  place.querySelector("[data-count]").textContent =
    `${counted(jobs.length, "job")}${runs ? ", one runs" : ""}${waiting ? `, ${waiting} in the queue` : ""}`;
  const nodes = jobs.map((one) => {
    const { step, total, eta, loss, phase, silent, ...lasting } = one;
    const key = JSON.stringify([lasting, waiting]);
    const held = lines.get(one.id);
    if (held?.key === key) {
      held.node.querySelector(".how").replaceChildren(...how(one));
      return held.node;
    }
    const node = line(one);
    lines.set(one.id, { key, node });
    return node;
  });
  const all = place.querySelector(".job-list");
  if (
    nodes.length !== all.children.length ||
    nodes.some((node, index) => all.children[index] !== node)
  ) {
    const focus = document.activeElement;
    const label = all.contains(focus) && (focus.getAttribute("aria-label") ?? focus.textContent);
    const job = all.contains(focus) && focus.closest("[data-job]").dataset.job;
    all.replaceChildren(...nodes);
    if (job) {
      [...all.querySelectorAll(`[data-job="${job}"] :is(a, button, input)`)]
        .find((one) => (one.getAttribute("aria-label") ?? one.textContent) === label)
        ?.focus({ preventScroll: true });
    }
  }
  compare();
}

// --- the look

async function look() {
  clearTimeout(timer);
  let next = 10000;
  if (!document.hidden || asked()) {
    try {
      const found = await get("/data/train/jobs");
      const changed = JSON.stringify(found.jobs) !== JSON.stringify(jobs);
      jobs = found.jobs;
      tell();
      if (jobs.some((one) => !ENDED.includes(one.state))) next = 2000;
      if (view === "list" && changed) list();
      if (view === "job" && !document.hidden) await shown.look(jobs);
      if (view === "together" && !document.hidden) await shown.look(jobs);
    } catch (error) {
      if (!jobs) place.replaceChildren(h("p.problem", { role: "alert" }, error.message));
    }
  }
  timer = setTimeout(look, fast || next);
}

keys("Train", [
  ...(admin ? [["n", "new job", () => location.assign("/train?new=1")]] : []),
  ["j", "next job", () => move(1)],
  ["k", "job before", () => move(-1)],
]);

function move(by) {
  const all = [...place.querySelectorAll(".job-line .name")];
  if (!all.length) return false;
  const now = all.indexOf(document.activeElement);
  all[Math.min(Math.max(now + by, 0), all.length - 1)].focus();
}

try {
  if (view === "new") {
    document.querySelector("[data-title]").textContent = "New job";
    document.querySelector("[data-new]").hidden = true;
  }
  if (view === "new") shown = await walkthrough(place, given);
  if (view === "job") shown = await job(place, given.get("job"), bell, look);
  if (view === "together") shown = await together(place, [...chosen]);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  look();
} catch (error) {
  place.replaceChildren(
    h(
      "div.card.empty",
      {},
      h("h2", {}, "Not here"),
      h("p.problem", { role: "alert" }, error.message),
      h("p.actions", {}, h("a.button", { href: "/train" }, "All jobs")),
    ),
  );
}
