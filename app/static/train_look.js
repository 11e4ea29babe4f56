// Step four of the walkthrough: what the student will see, what it will cost, the same from the
// command line, and the start.
import { amount, duration, h } from "./dom.js";
import { get, post } from "./server.js";
import { admin, copyBlock } from "./train_parts.js";

const size = (mb) =>
  mb < 1024 ? `${Math.max(1, Math.round(mb))} MB` : `${(mb / 1024).toFixed(1)} GB`;
const span = (low, high) =>
  Math.abs(high - low) < 0.05 * high
    ? duration(1000 * high)
    : `${duration(1000 * low)} to ${duration(1000 * high)}`;

const digestsOf = ({ image, more_images }) => [image, ...(more_images ?? [])];

/** The last step in `place`; `start(button)` queues the job.  Returns {button, show, visible}. */
export function looks(place, start) {
  let report = null;
  let request = null;
  let open = false;
  let previewToml = "";
  const lessons = h("div.seen", { "aria-live": "polite" });
  const cost = h("div.cost", { "aria-live": "polite" });
  const same = h("div.sames");
  const reasons = h("div", { "aria-live": "polite" });
  const measure = h(
    "button.button",
    { type: "button", onclick: () => look("measure", cost, estimate) },
    "Measure two steps",
  );
  const go = h(
    "button.button.main",
    { type: "button", disabled: true, dataset: { start: "" }, onclick: () => start(go) },
    "Start the job",
  );
  place.replaceChildren(
    h("h2", {}, "What the student will see"),
    h(
      "p.soft.small",
      {},
      "The first three examples after templating. Grey: what it reads. Dark on colour: what counts in the loss.",
    ),
    lessons,
    h("div.head", {}, h("h2", {}, "What it will cost"), measure),
    cost,
    h("h2", {}, "The same from the command line"),
    same,
    reasons,
  );

  /** Take a look in a process of its own and show it when it comes. */
  async function look(kind, into, draw) {
    const stop = h(
      "button.button.small",
      {
        type: "button",
        onclick: () => {
          post("do/train/look/end", { kind }).catch(() => {});
        },
      },
      "Stop",
    );
    const status = h("span.soft", {}, "A process of its own has begun…");
    into.replaceChildren(h("p.look-wait", {}, status, " ", stop));
    measure.disabled = true;
    try {
      let state = await post("do/train/look", { kind, settings: request });
      const { key } = state;
      while (state.state === "running") {
        status.textContent = `${kind === "measure" ? "Taking two steps" : "Reading three examples"}, ${Math.round(state.seconds)} s…`;
        await new Promise((wait) => setTimeout(wait, 700));
        state = await get(`data/train/look?key=${key}`);
        if (!into.contains(stop)) return; // something newer stands there
      }
      if (state.state === "done") draw(state.found);
      else if (state.state === "none") into.replaceChildren(h("p.soft", {}, "Stopped."));
      else {
        into.replaceChildren(
          h("p.problem", { role: "alert" }, state.failure.text, " ", state.failure.advice),
        );
      }
    } catch (error) {
      into.replaceChildren(h("p.problem", { role: "alert" }, error.message));
    }
    measure.disabled = !report || report.reasons.length > 0 || !admin;
  }

  function examples(rows) {
    const tasks = [...new Set(rows.map((row) => row.task_id))];
    lessons.replaceChildren(
      ...tasks.map((task) =>
        h(
          "article.example",
          { dataset: { task } },
          h(
            "header",
            {},
            digestsOf(rows.find((row) => row.task_id === task)).map((image) =>
              h("img", {
                src: `thumb/${image}`,
                alt: "",
                onerror: (event) => event.target.remove(),
              }),
            ),
            h("p.small.soft.mono.hostile", {}, task),
          ),
          rows
            .filter((row) => row.task_id === task)
            .map((row) =>
              h(
                "div.lesson",
                { dataset: { lesson: row.name } },
                h(
                  "p.small",
                  {},
                  h("b", {}, row.name),
                  row.weight === 1 ? "" : ` × ${row.weight}`,
                  h(
                    "span.soft",
                    {},
                    `: ${amount(row.tokens, "token")}, ${row.picture} of the picture, ${row.counted} in the loss`,
                  ),
                ),
                h(
                  "p.pieces",
                  { tabindex: "0" },
                  row.pieces.map(([text, counted_]) =>
                    counted_ ? h("mark", {}, text) : h("span", {}, text),
                  ),
                ),
              ),
            ),
        ),
      ),
    );
  }

  function estimate(one) {
    const short = report && one.disk_mb > report.free_mb;
    cost.replaceChildren(
      h(
        "dl.costs",
        {},
        [
          [
            "Time",
            span(one.seconds, one.most_seconds),
            `${one.steps.toLocaleString("en")} steps; evaluations come on top`,
          ],
          ["Memory", size(one.memory_mb), "the peak of the longest step"],
          [
            "Disk",
            size(one.disk_mb),
            `model and two checkpoints; ${size(report?.free_mb ?? 0)} free`,
          ],
        ].map(([name, value, note]) =>
          h(
            "div",
            {},
            h("dt", {}, name),
            h("dd", {}, h("b", {}, value), h("small.soft", {}, note)),
          ),
        ),
      ),
      h(
        "p.small.soft",
        {},
        `Basis: ${one.basis}. From steps of middling length to all as long as the longest.`,
      ),
      short
        ? h("p.problem", {}, "The disk has not so much room; delete an old job, or free some.")
        : "",
    );
  }

  function ready() {
    if (!open || !report || report.reasons.length || !admin) return;
    if (report.toml !== previewToml) {
      previewToml = report.toml;
      look("preview", lessons, examples);
    }
  }

  return {
    button: go,
    visible(on) {
      open = on;
      ready();
    },
    /** What the server says of the settings now. */
    show(fresh, settings) {
      const other = report?.toml !== fresh.toml;
      report = fresh;
      request = settings;
      go.disabled = report.reasons.length > 0 || !admin;
      measure.disabled = go.disabled;
      reasons.replaceChildren(
        report.reasons.length
          ? h(
              "div.cannot",
              { role: "alert" },
              h("p", {}, h("b", {}, "It cannot start yet:")),
              h(
                "ul",
                {},
                report.reasons.map((one) => h("li.hostile", {}, one)),
              ),
            )
          : "",
      );
      same.replaceChildren(
        ...(report.command
          ? [copyBlock("Command", report.command), copyBlock("job.toml", report.toml)]
          : [h("p.soft", {}, "Stands here when nothing is wrong.")]),
      );
      if (report.reasons.length) {
        lessons.replaceChildren(h("p.soft", {}, "Stands here when nothing is wrong."));
        previewToml = "";
      }
      if (report.measured) estimate(report.measured);
      else if (other) {
        cost.replaceChildren(
          h(
            "p.soft",
            {},
            report.steps
              ? `${amount(report.steps, "step")} of ${amount(report.batch, "example")}. Two measured steps tell time, memory and disk; nothing of them is kept.`
              : "–",
          ),
        );
      }
      ready();
    },
  };
}
