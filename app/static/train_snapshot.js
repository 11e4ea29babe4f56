// Step one of the walkthrough: which snapshot, what is in it, what evaluation has of it; and a new one, taken right here.
import { amount, h, svg } from "./dom.js";
import { snapshot as freeze } from "./curate_drawers.js";
import { get } from "./server.js";

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

function checks(report) {
  const { leak } = report;
  const bad = leak.same + leak.near;
  const lines = [
    bad
      ? [
          "problem",
          `✗ Evaluation has ${leak.same} of its pictures, and ${leak.near} that look like one: a job cannot start from it. Take a snapshot again; it leaves them out.`,
        ]
      : leak.against
        ? [
            "good",
            `✓ None of its pictures is among the ${leak.against.toLocaleString("en")} of evaluation (${leak.splits.join(", ") || "by source"})${leak.unknown ? `; ${leak.unknown} of those were compared by their bytes alone` : ""}.`,
          ]
        : ["soft", "The project has no evaluation pictures to compare with."],
    report.repeated
      ? [
          report.contradicting ? "problem" : "soft",
          `${amount(report.repeated, "question")} asked again about the same picture${report.contradicting ? `, ${report.contradicting} with another answer` : ""}.`,
        ]
      : ["good", "✓ No question is asked twice about one picture."],
    report.sides.train ? null : ["problem", "✗ It has no example to train on."],
    report.sides.val
      ? null
      : [
          "soft",
          "It holds nothing out: there will be no accuracy, and the last checkpoint is the best one.",
        ],
  ];
  return h(
    "ul.checks",
    {},
    lines.filter(Boolean).map(([kind, words]) => h(`li.${kind}`, {}, words)),
  );
}

/** The choice of a snapshot in `place`; `chose(hash)` is told.  Returns {known}. */
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
    const form = await get("/data/train/form").catch(() => null);
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
            h(
              "small.soft",
              {},
              `${one.rows.toLocaleString("en")} questions, ${one.rationales.toLocaleString("en")} with a rationale, ${amount(one.pictures, "picture")}; ${WHOSE[one.accepted] ?? one.accepted}${one.text ? `, “${one.text}”` : ""}; ${new Date(`${one.at}Z`).toLocaleString("en", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" })}`,
            ),
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
      const report = await get(`/data/train/snapshot?hash=${encodeURIComponent(current)}`);
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
        report.left_out.length
          ? h(
              "details.left",
              {},
              h(
                "summary",
                {},
                `${report.left_out.reduce((sum, one) => sum + one.count, 0).toLocaleString("en")} left out, and why`,
              ),
              h(
                "table",
                {},
                h(
                  "tbody",
                  {},
                  report.left_out.map((one) =>
                    h(
                      "tr",
                      {},
                      h("td.number", {}, one.count.toLocaleString("en")),
                      h("td", {}, one.reason),
                    ),
                  ),
                ),
              ),
            )
          : "",
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
