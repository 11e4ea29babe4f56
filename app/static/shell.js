// What every page has: screens by key, the help overlay, the link to what is shown, the chips of
// the header.
import { amount, clock, duration, h } from "./dom.js";
import {
  anyChanged,
  changeKey,
  keyLabel,
  keyOf,
  keys,
  keyTables,
  mayChange,
  onKeys,
  ownKeys,
} from "./keys.js";
import { get, resume, toast } from "./server.js";

/** @typedef {import("../js/types").HeaderNews} HeaderNews */

const screens = [...document.querySelectorAll(".bar nav a")];
const help = document.querySelector("[data-keys]");

try {
  // Step comes back to the run that was looked at last in this tab
  const run = sessionStorage.getItem("vpd-last-run");
  if (run?.startsWith("step?")) {
    screens
      .find((link) => /(^|\/)step$/.test(link.getAttribute("href")))
      ?.setAttribute("href", run);
  }
} catch {
  /* private window */
}

// what "today" is depends on where one sits: the server counts by this zone
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.cookie = `vpd-zone=${zone}; path=/; max-age=31536000; samesite=lax`;

/** One key of the sheet; those that can be changed are buttons that wait for another one. */
function keyCell(title, row) {
  const [key, words] = row;
  if (key.split(" ").length === 2 && key.trim()) {
    return key.split(" ").map((one) => h("kbd", {}, one));
  }
  const now = keyOf(title, key);
  if (!mayChange(title, row)) return h("kbd", {}, keyLabel(now));
  return h(
    now === key ? "button.key" : "button.key.changed",
    {
      type: "button",
      title: "Press to choose another key",
      "aria-label": `${keyLabel(now)}: ${words}. Choose another key`,
      onclick: (event) => choose(event.currentTarget, title, key),
    },
    h("kbd", {}, keyLabel(now)),
  );
}

/** Wait for the key that is to stand in the place of another. */
function choose(button, title, key) {
  const told = help.querySelector("[data-told]");
  told.textContent = "Press the new key. Delete gives the old one back, Esc leaves it as it is.";
  button.replaceChildren(h("kbd", {}, "…"));
  const take = (event) => {
    if (["Shift", "Control", "Alt", "Meta", "CapsLock"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    button.removeEventListener("keydown", take);
    button.removeEventListener("blur", leave);
    let problem = "";
    if (event.key === "Delete" || event.key === "Backspace") {
      problem = changeKey(title, key, null);
    } else if (event.key !== "Escape") problem = changeKey(title, key, event.key);
    fillKeys();
    told.textContent = problem;
    help.querySelector(`[data-key="${CSS.escape(`${title} ${key}`)}"] button`)?.focus();
  };
  const leave = () => {
    button.removeEventListener("keydown", take);
    fillKeys();
    told.textContent = "";
  };
  button.addEventListener("keydown", take);
  button.addEventListener("blur", leave, { once: true });
}

function fillKeys() {
  const line = (title, row) =>
    h(
      "div",
      {},
      h("dt", { dataset: { key: `${title} ${row[0]}` } }, keyCell(title, row)),
      h("dd", {}, row[1]),
    );
  const tables = keyTables().map(({ title, rows }) =>
    h(
      "section",
      {},
      h("h3", {}, title),
      h(
        "dl",
        {},
        rows.map((row) => line(title, row)),
      ),
    ),
  );
  help.querySelector("[data-list]").replaceChildren(...tables);
  help.querySelector("[data-own-keys]").hidden = !anyChanged();
}

function showKeys() {
  help.querySelector("[data-told]").textContent = "";
  fillKeys();
  help.showModal();
}

// labels on buttons follow the keys that were chosen
onKeys(() => {
  for (const label of document.querySelectorAll("kbd[data-of]")) {
    label.textContent = keyLabel(keyOf(label.dataset.of, label.dataset.own));
  }
});
help.querySelector("[data-own-keys]").addEventListener("click", () => {
  ownKeys();
  fillKeys();
});

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    toast("Link copied.");
  } catch {
    toast(`The browser does not let the link be copied: ${location.href}`, "bad");
  }
}

keys("Everywhere", [
  ["?", "these keys", showKeys],
  [
    "/",
    "search",
    () => {
      const box = document.querySelector("[data-search]");
      if (!box) {
        location.assign("browse?focus=search");
        return;
      }
      box.focus();
      box.select();
    },
  ],
  ...screens.map((link) => [
    `g ${/\(g (.)\)/.exec(link.title)[1]}`,
    link.textContent.trim(),
    () => link.click(),
  ]),
  ["g h", "start", () => document.querySelector("[data-home]").click()],
  [".", "copy the link to what is shown", copyLink],
  ["Escape", "close, or leave the text", () => false],
]);

document.querySelector("[data-help]").addEventListener("click", showKeys);
help.querySelector("[data-close]").addEventListener("click", () => help.close());
help.addEventListener("click", (event) => {
  if (event.target === help) help.close();
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy).then(
    () => toast("Copied."),
    () => toast("The browser does not let it be copied.", "bad"),
  );
});

function chip(name, text, title = "") {
  const node = document.querySelector(`[data-chip=${name}]`);
  node.hidden = !text;
  if (node.textContent !== text) node.textContent = text;
  node.title = title;
}

/** A training job: its name, how far it is, what is left. */
function trainingWords({ name, step, total, eta, silent }) {
  if (silent) return `${name}: no sign for ${Math.round(silent)} s`;
  const share = total ? `${Math.floor((100 * step) / total)} %` : "starting";
  const rest = eta ? ` · ${duration(1000 * eta)} left` : "";
  return `${name}: ${share}${rest}`;
}

/** @param {HeaderNews["job"]} job */
function jobChip(job) {
  if (!job) return chip("job", "");
  const text = `${job.name}: ${job.stage} ${job.done.toLocaleString("en")}`;
  return chip("job", text, `stage ${job.place}; ${amount(job.done, "row")} written`);
}

/** @param {HeaderNews["training"]} training */
function trainingChip(training) {
  if (!training) return chip("training", "");
  document.querySelector("[data-chip=training]").href = `train?job=${training.id}`;
  return chip("training", trainingWords(training), `step ${training.step} of ${training.total}`);
}

/** @param {HeaderNews["device"]} device */
function deviceChip(device) {
  if (!device) return chip("device", "");
  const gigabytes = (megabytes) => (megabytes / 1024).toFixed(0);
  const memory = `${gigabytes(device.memory)} of ${gigabytes(device.total)} GB`;
  return chip("device", `GPU ${device.used} % · ${memory} · ${device.heat} °C`, device.name);
}

/** @param {HeaderNews["today"]} today */
function todayChip(today) {
  if (!today) return chip("today", "");
  const goal = today.goal ? `, of ${today.goal}` : "";
  return chip("today", `${today.count} today`, `decisions of yours today${goal}`);
}

let timer = null;
let answer = new Date(); // when the server answered last

/** Say that the server is away, or no more. */
function sayAway(isAway) {
  const node = document.querySelector("[data-away]");
  node.hidden = !isAway;
  if (!isAway) answer = new Date();
  else node.textContent = `server away since ${clock(answer)}, trying again`;
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return;
  let next = 10000;
  try {
    const { job, training, device, today } = await get("data/shell");
    sayAway(false);
    jobChip(job);
    trainingChip(training);
    deviceChip(device);
    todayChip(today);
    if (job || training) next = 2000;
  } catch (error) {
    if (error.away) sayAway(true);
    next = 3000;
  }
  timer = setTimeout(look, next);
}

document.addEventListener("visibilitychange", look);
look();
resume();
