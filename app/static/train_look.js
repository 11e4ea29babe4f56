// Step four of the walkthrough: what the student will see, what it will cost, the same from the command line, and the start.
import { counted, duration, h } from "./dom.js";
import { get, post } from "./server.js";
import { admin, copied } from "./train_parts.js";

const size = (mb) =>
  mb < 1024 ? `${Math.max(1, Math.round(mb))} MB` : `${(mb / 1024).toFixed(1)} GB`;
const span = (low, high) =>
  Math.abs(high - low) < 0.05 * high
    ? duration(1000 * high)
    : `${duration(1000 * low)} to ${duration(1000 * high)}`;

/** The last step in `place`; `start(button)` queues the job.  Returns {button, show, visible}. */
export function looks(place, start) {
  let found = null;
  let wanted = null;
  let open = false;
  let previewed = "";
  const seen = h("div.seen", { "aria-live": "polite" });
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
    seen,
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
          post("/do/train/look/end", { kind }).catch(() => {});
        },
      },
      "Stop",
    );
    const says = h("span.soft", {}, "A process of its own has begun…");
    into.replaceChildren(h("p.look-wait", {}, says, " ", stop));
    measure.disabled = true;
    try {
      let state = await post("/do/train/look", { kind, settings: wanted });
      const { key } = state;
      while (state.state === "running") {
        says.textContent = `${kind === "measure" ? "Taking two steps" : "Reading three examples"}, ${Math.round(state.seconds)} s…`;
        await new Promise((wait) => setTimeout(wait, 700));
        state = await get(`/data/train/look?key=${key}`);
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
    measure.disabled = !found || found.reasons.length > 0 || !admin;
  }

  function examples(rows) {
    const tasks = [...new Set(rows.map((row) => row.task_id))];
    seen.replaceChildren(
      ...tasks.map((task) =>
        h(
          "article.example",
          { dataset: { task } },
          h(
            "header",
            {},
            h("img", {
              src: `/thumb/${rows.find((row) => row.task_id === task).image}`,
              alt: "",
              onerror: (event) => event.target.remove(),
            }),
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
                    `: ${counted(row.tokens, "token")}, ${row.picture} of the picture, ${row.counted} in the loss`,
                  ),
                ),
                h(
                  "p.pieces",
                  {},
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
    const short = found && one.disk_mb > found.free_mb;
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
            `model and two checkpoints; ${size(found?.free_mb ?? 0)} free`,
          ],
        ].map(([name, value, says]) =>
          h(
            "div",
            {},
            h("dt", {}, name),
            h("dd", {}, h("b", {}, value), h("small.soft", {}, says)),
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
    if (!open || !found || found.reasons.length || !admin) return;
    if (found.toml !== previewed) {
      previewed = found.toml;
      look("preview", seen, examples);
    }
  }

  return {
    button: go,
    visible(on) {
      open = on;
      ready();
    },
    /** What the server says of the settings now. */
    show(checked, settings) {
      const other = found?.toml !== checked.toml;
      found = checked;
      wanted = settings;
      go.disabled = found.reasons.length > 0 || !admin;
      measure.disabled = go.disabled;
      reasons.replaceChildren(
        found.reasons.length
          ? h(
              "div.cannot",
              { role: "alert" },
              h("p", {}, h("b", {}, "It cannot start yet:")),
              h(
                "ul",
                {},
                found.reasons.map((one) => h("li.hostile", {}, one)),
              ),
            )
          : "",
      );
      same.replaceChildren(
        ...(found.command
          ? [copied("Command", found.command), copied("job.toml", found.toml)]
          : [h("p.soft", {}, "Stands here when nothing is wrong.")]),
      );
      if (found.reasons.length) {
        seen.replaceChildren(h("p.soft", {}, "Stands here when nothing is wrong."));
        previewed = "";
      }
      if (found.measured) estimate(found.measured);
      else if (other) {
        cost.replaceChildren(
          h(
            "p.soft",
            {},
            found.steps
              ? `${counted(found.steps, "step")} of ${counted(found.batch, "example")}. Two measured steps tell time, memory and disk; nothing of them is kept.`
              : "–",
          ),
        );
      }
      ready();
    },
  };
}
