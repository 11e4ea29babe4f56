// What every page has: screens by key, the help overlay, the link to what is shown, the chips of the header.
import { amount, duration, h } from "./dom.js";
import { keys, keyTables, keyLabel } from "./keys.js";
import { get, resume, toast } from "./server.js";

const screens = [...document.querySelectorAll(".bar nav a")];
const help = document.querySelector("[data-keys]");

try {
  // Step comes back to the run that was looked at last in this tab
  const run = sessionStorage.getItem("vpd-last-run");
  if (run?.startsWith("/step?")) {
    screens.find((link) => link.pathname === "/step")?.setAttribute("href", run);
  }
} catch {
  /* private window */
}

function showKeys() {
  const tables = keyTables().map(({ title, rows }) =>
    h(
      "section",
      {},
      h("h3", {}, title),
      h(
        "dl",
        {},
        rows.map(([key, words]) =>
          h(
            "div",
            {},
            h(
              "dt",
              {},
              key.split(" ").length === 2 && key.trim()
                ? key.split(" ").map((one) => h("kbd", {}, one))
                : h("kbd", {}, keyLabel(key)),
            ),
            h("dd", {}, words),
          ),
        ),
      ),
    ),
  );
  help.querySelector("[data-list]").replaceChildren(...tables);
  help.showModal();
}

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
        location.assign("/browse?focus=search");
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
  return `${name}: ${total ? `${Math.floor((100 * step) / total)} %` : "starting"}${eta ? ` · ${duration(1000 * eta)} left` : ""}`;
}

let timer = null;

async function look() {
  clearTimeout(timer);
  let next = 10000;
  if (!document.hidden) {
    try {
      const { job, training, device, today } = await get("/data/shell");
      chip(
        "job",
        job ? `${job.name}: ${job.stage} ${job.done.toLocaleString("en")}` : "",
        job ? `stage ${job.place}; ${amount(job.done, "row")} written` : "",
      );
      chip(
        "training",
        training ? trainingWords(training) : "",
        training ? `step ${training.step} of ${training.total}` : "",
      );
      if (training) {
        document.querySelector("[data-chip=training]").href = `/train?job=${training.id}`;
      }
      chip(
        "device",
        device
          ? `GPU ${device.used} % · ${(device.memory / 1024).toFixed(0)} of ${(device.total / 1024).toFixed(0)} GB · ${device.heat} °C`
          : "",
        device?.name,
      );
      chip(
        "today",
        today ? `${today.count} today` : "",
        today ? `decisions of yours today${today.goal ? `, of ${today.goal}` : ""}` : "",
      );
      if (job || training) next = 2000;
    } catch {
      /* the next look says it, and a save would */
    }
    timer = setTimeout(look, next);
  }
}

document.addEventListener("visibilitychange", look);
look();
resume();
