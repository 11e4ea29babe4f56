// Train: which view the address asks for, the list of jobs, and the look every few seconds that all views share.
import { amount, h } from "./dom.js";
import { keys } from "./keys.js";
import { get, toast } from "./server.js";
import { job } from "./train_job.js";
import { walkthrough } from "./train_new.js";
import { actions, admin, nameOf, FINAL, main, progress, right, state } from "./train_parts.js";
import { together } from "./train_together.js";

const place = document.querySelector("[data-view]");
const params = new URL(location).searchParams;
const view =
  params.has("new") && admin
    ? "new"
    : params.has("job")
      ? "job"
      : params.has("jobs")
        ? "together"
        : "list";
const fast = Number(params.get("every")) * 1000;
const before = new Map(); // state of each job at the last look
const lines = new Map(); // of the list: what each was made from, and its node
const picks = new Set(params.get("jobs")?.split(",").filter(Boolean) ?? []);
let jobs = null;
let timer = null;
let panel = null;

document.querySelectorAll("[data-tab]").forEach((one) => {
  if (one.dataset.tab === view) one.setAttribute("aria-current", "page");
});

// --- told when a job ends, if one wants to be

const wantsMessages = () =>
  "Notification" in window &&
  Notification.permission === "granted" &&
  localStorage.getItem("vpd-notify") === "on";

function tell() {
  for (const one of jobs) {
    const was = before.get(one.id);
    if (was && was !== one.state && FINAL.includes(one.state) && !FINAL.includes(was)) {
      if (wantsMessages()) {
        new Notification(`${nameOf(one)}: ${one.state}`, {
          body:
            one.state === "done" ? `right on ${right(one)} held-out questions` : (one.cause ?? ""),
          tag: one.id,
        });
      }
      if (view === "new") toast(`${nameOf(one)}: ${one.state}`);
    }
    before.set(one.id, one.state);
  }
}

function bell() {
  if (!("Notification" in window)) return null;
  const words = () =>
    wantsMessages() ? "You will be told when a job ends" : "Tell me when a job ends";
  const node = h(
    "button.button.small.plain",
    {
      type: "button",
      dataset: { bell: "" },
      "aria-pressed": String(wantsMessages()),
      title: "A message of your browser, while this page is open in any tab",
      onclick: async () => {
        if (wantsMessages()) localStorage.removeItem("vpd-notify");
        else if ((await Notification.requestPermission()) === "granted") {
          localStorage.setItem("vpd-notify", "on");
        } else {
          toast(
            "The browser does not allow messages from this page; it can be allowed beside the address.",
            "bad",
          );
        }
        node.setAttribute("aria-pressed", String(wantsMessages()));
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
    checked: picks.has(one.id),
    "aria-label": `Choose ${nameOf(one)} to compare`,
    onchange: (event) => {
      if (event.target.checked) picks.add(one.id);
      else picks.delete(one.id);
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
      h("a.name", { href: `/train?job=${one.id}` }, nameOf(one)),
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
  link.hidden = picks.size < 2;
  link.href = `/train?jobs=${[...picks].join(",")}`;
  link.textContent = `Compare ${picks.size} runs`;
  if (picks.size > 8) {
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
  const queueLength = jobs.filter((one) => one.state === "queued").length;
  const runs = jobs.some((one) => ["running", "stopping"].includes(one.state));
  place.querySelector("[data-count]").textContent =
    `${amount(jobs.length, "job")}${runs ? ", one runs" : ""}${queueLength ? `, ${queueLength} in the queue` : ""}`;
  const nodes = jobs.map((one) => {
    const { step, total, eta, loss, phase, silent, ...base } = one;
    const key = JSON.stringify([base, queueLength]);
    const entry = lines.get(one.id);
    if (entry?.key === key) {
      entry.node.querySelector(".how").replaceChildren(...how(one));
      return entry.node;
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
  if (!document.hidden || wantsMessages()) {
    try {
      const reply = await get("/data/train/jobs");
      const news = JSON.stringify(reply.jobs) !== JSON.stringify(jobs);
      jobs = reply.jobs;
      tell();
      if (jobs.some((one) => !FINAL.includes(one.state))) next = 2000;
      if (view === "list" && news) list();
      if (view === "job" && !document.hidden) await panel.look(jobs);
      if (view === "together" && !document.hidden) await panel.look(jobs);
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
  if (view === "new") panel = await walkthrough(place, params);
  if (view === "job") panel = await job(place, params.get("job"), bell, look);
  if (view === "together") panel = await together(place, [...picks]);
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
