// Step one of the walkthrough: which snapshot, what is in it, what evaluation has of it; and a new one, taken right here.
import { counted, h, svg } from "./dom.js";
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

function judged(found) {
  const { leak } = found;
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
    found.repeated
      ? [
          found.contradicting ? "problem" : "soft",
          `${counted(found.repeated, "question")} asked again about the same picture${found.contradicting ? `, ${found.contradicting} with another answer` : ""}.`,
        ]
      : ["good", "✓ No question is asked twice about one picture."],
    found.sides.train ? null : ["problem", "✗ It has no example to train on."],
    found.sides.val
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
  let chosen = hash;
  let asked = 0;
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
            checked: one.hash === chosen,
            onchange: () => choose(one.hash),
          }),
          h(
            "span",
            {},
            h("b.hostile", {}, one.name || one.hash.slice(0, 12)),
            h(
              "small.soft",
              {},
              `${one.rows.toLocaleString("en")} questions, ${one.rationales.toLocaleString("en")} with a rationale, ${counted(one.pictures, "picture")}; ${WHOSE[one.accepted] ?? one.accepted}${one.text ? `, “${one.text}”` : ""}; ${new Date(`${one.at}Z`).toLocaleString("en", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" })}`,
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
    chosen = to;
    for (const one of list.querySelectorAll("input")) one.checked = one.value === to;
    chose(to);
    look();
  }

  async function look() {
    const mine = ++asked;
    inside.replaceChildren(...(chosen ? [h("p.soft", {}, "Reading the snapshot…")] : []));
    if (!chosen) return;
    try {
      const found = await get(`/data/train/snapshot?hash=${encodeURIComponent(chosen)}`);
      if (mine !== asked) return;
      inside.replaceChildren(
        h(
          "p.enters",
          {},
          h("b", {}, found.sides.train.toLocaleString("en")),
          " to train on, ",
          h("b", {}, found.sides.val.toLocaleString("en")),
          " held out, divided by picture",
        ),
        judged(found),
        h(
          "div.tallies",
          {},
          bars("By tool", found.tools, `of ${counted(found.programs, "program")}`),
          bars("By kind of question", found.families, ""),
          bars(
            "Taken from",
            found.kinds,
            `${found.rationales} with a rationale, ${found.edited} edited`,
          ),
          bars("Reviewers", found.reviewers, ""),
        ),
        found.left_out.length
          ? h(
              "details.left",
              {},
              h(
                "summary",
                {},
                `${found.left_out.reduce((sum, one) => sum + one.count, 0).toLocaleString("en")} left out, and why`,
              ),
              h(
                "table",
                {},
                h(
                  "tbody",
                  {},
                  found.left_out.map((one) =>
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
      if (mine === asked) inside.replaceChildren(h("p.problem", { role: "alert" }, error.message));
    }
  }

  place.replaceChildren(h("div.head", {}, h("h2", {}, "Which snapshot?"), take), list, inside);
  fill();
  look();
  return { known: (one) => all.find((row) => row.hash === one) };
}
