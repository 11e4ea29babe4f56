// Step one of the walkthrough: which snapshot, what is in it, what evaluation has of it; and a new
// one, taken right here.
import { amount, dateTime, h, svg } from "./dom.js";
import { snapshot as freeze } from "./curate_drawers.js";
import { get } from "./server.js";

/** @typedef {import("../js/types").ReasonCount} ReasonCount */
/** @typedef {import("../js/types").SharedPictures} SharedPictures */
/** @typedef {import("../js/types").SnapshotLine} SnapshotLine */
/** @typedef {import("../js/types").SnapshotReport} SnapshotReport */

const WHOSE = {
  person: "what people accepted",
  automatic: "what the verifier kept",
  both: "people's word, else the verifier's",
};

function bars(title, counts, of) {
  const rows = Object.entries(counts);
  const most = Math.max(1, ...rows.map(([, count]) => count));
  if (!rows.length) return null;
  return h(
    "section.tally",
    {},
    h("h3", {}, title, h("span.soft.small", {}, of)),
    h(
      "ul",
      {},
      rows
        .slice(0, 12)
        .map(([name, count]) =>
          h(
            "li",
            {},
            h("span.hostile", {}, name.replaceAll("_", " ") || "(none)"),
            svg(
              "svg",
              { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
              svg("rect.rail", { width: 100, height: 8 }),
              svg("rect.bar-fill", { width: (100 * count) / most, height: 8 }),
            ),
            h("b.number", {}, count.toLocaleString("en")),
          ),
        ),
    ),
    rows.length > 12 ? h("p.small.soft", {}, `and ${rows.length - 12} more`) : null,
  );
}

/**
 * Whether evaluation has pictures of it too: [kind, words].
 * @param {SharedPictures} leak
 */
function leakCheck({ same, near, against, splits, unknown }) {
  if (same + near) {
    const fact = `Evaluation has ${same} of its pictures, and ${near} that look like one`;
    const advice = "a job cannot start from it. Take a snapshot again; it leaves them out.";
    return ["problem", `✗ ${fact}: ${advice}`];
  }
  if (!against) return ["soft", "The project has no evaluation pictures to compare with."];
  const where = splits.join(", ") || "by source";
  const rest = unknown ? `; ${unknown} of those were compared by their bytes alone` : "";
  const count = against.toLocaleString("en");
  const words = `✓ None of its pictures is among the ${count} of evaluation (${where})${rest}.`;
  return ["good", words];
}

/** @param {SnapshotReport} report */
function repeatCheck({ repeated, contradicting }) {
  if (!repeated) return ["good", "✓ No question is asked twice about one picture."];
  const words = `${amount(repeated, "question")} asked again about the same picture`;
  if (!contradicting) return ["soft", `${words}.`];
  return ["problem", `${words}, ${contradicting} with another answer.`];
}

/** @param {SnapshotReport} report */
function checks(report) {
  const lines = [leakCheck(report.leak), repeatCheck(report)];
  if (!report.sides.train) lines.push(["problem", "✗ It has no example to train on."]);
  if (!report.sides.val) {
    lines.push([
      "soft",
      "It holds nothing out: there will be no accuracy, and the last checkpoint is the best one.",
    ]);
  }
  return h(
    "ul.checks",
    {},
    lines.map(([kind, words]) => h(`li.${kind}`, {}, words)),
  );
}

/**
 * A snapshot in a line: what is in it, who accepted it, when it was taken.
 * @param {SnapshotLine} one
 */
function snapshotWords(one) {
  const inside = [
    `${one.rows.toLocaleString("en")} questions`,
    `${one.rationales.toLocaleString("en")} with a rationale`,
    amount(one.pictures, "picture"),
  ];
  const query = one.text ? `, “${one.text}”` : "";
  const source = `${WHOSE[one.accepted] ?? one.accepted}${query}`;
  return [inside.join(", "), source, dateTime(one.at)].join("; ");
}

/** @param {ReasonCount[]} rows */
function leftOut(rows) {
  if (!rows.length) return "";
  const total = rows.reduce((sum, one) => sum + one.count, 0);
  const line = (one) =>
    h("tr", {}, h("td.number", {}, one.count.toLocaleString("en")), h("td", {}, one.reason));
  return h(
    "details.left",
    {},
    h("summary", {}, `${total.toLocaleString("en")} left out, and why`),
    h("table", {}, h("tbody", {}, rows.map(line))),
  );
}

/** The choice of a snapshot in `place`; `chose(hash)` gets it.  Returns {known}. */
export function snapshotCard(place, snapshots, hash, chose) {
  let all = snapshots;
  let current = hash;
  let latest = 0;
  const list = h("div.snapshots", { role: "radiogroup", "aria-label": "Snapshots" });
  const inside = h("div.inside", { "aria-live": "polite" });
  const take = h(
    "button.button",
    { type: "button", onclick: () => freeze({ q: "" }) },
    "Take a snapshot now…",
  );
  const box = document.querySelector("[data-dialog]");
  box.addEventListener("close", async () => {
    const before = new Set(all.map((one) => one.hash));
    const form = await get("data/train/form").catch(() => null);
    if (!form) return;
    all = form.snapshots;
    const fresh = all.find((one) => !before.has(one.hash));
    fill();
    if (fresh) choose(fresh.hash);
  });

  function fill() {
    list.replaceChildren(
      ...all.map((one) =>
        h(
          "label.choice",
          {},
          h("input", {
            type: "radio",
            name: "snapshot",
            value: one.hash,
            checked: one.hash === current,
            onchange: () => choose(one.hash),
          }),
          h(
            "span",
            {},
            h("b.hostile", {}, one.name || one.hash.slice(0, 12)),
            h("small.soft", {}, snapshotWords(one)),
          ),
        ),
      ),
    );
    if (!all.length) {
      list.replaceChildren(
        h(
          "p.soft",
          {},
          "No snapshot was taken yet. Take one here: of what people accepted, or of what the verifier kept.",
        ),
      );
    }
  }

  function choose(to) {
    current = to;
    for (const one of list.querySelectorAll("input")) one.checked = one.value === to;
    chose(to);
    look();
  }

  async function look() {
    const mine = ++latest;
    inside.replaceChildren(...(current ? [h("p.soft", {}, "Reading the snapshot…")] : []));
    if (!current) return;
    try {
      const report = await get(`data/train/snapshot?hash=${encodeURIComponent(current)}`);
      if (mine !== latest) return;
      inside.replaceChildren(
        h(
          "p.enters",
          {},
          h("b", {}, report.sides.train.toLocaleString("en")),
          " to train on, ",
          h("b", {}, report.sides.val.toLocaleString("en")),
          " held out, divided by picture",
        ),
        checks(report),
        h(
          "div.tallies",
          {},
          bars("By tool", report.tools, `of ${amount(report.programs, "program")}`),
          bars("By kind of question", report.families, ""),
          bars(
            "Taken from",
            report.kinds,
            `${report.rationales} with a rationale, ${report.edited} edited`,
          ),
          bars("Reviewers", report.reviewers, ""),
        ),
        leftOut(report.left_out),
      );
    } catch (error) {
      if (mine === latest) inside.replaceChildren(h("p.problem", { role: "alert" }, error.message));
    }
  }

  place.replaceChildren(h("div.head", {}, h("h2", {}, "Which snapshot?"), take), list, inside);
  fill();
  look();
  return { known: (one) => all.find((row) => row.hash === one) };
}
