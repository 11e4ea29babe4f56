// A player in a widget: drawn from the traits `run` and `picture`, one cursor with the trait
// `step`.
import { mount } from "../../screen/static/player.js";
import { h } from "../../screen/static/player_elements.js";
import { addresses, ask, put, sign } from "./common.js";

/**
 * Draw the run in `place` whenever it changes.  `options`: `wrong(step)`, what the key b does;
 * `onDraw(place)`, after it was drawn anew.  Returns {keys(), stop()}.
 */
function traitPlayer(model, place, options = {}) {
  const urls = addresses();
  let player = null;
  const wrong =
    options.wrong ?? ((step) => put(model, { wrong: model.get("wrong") === step ? null : step }));

  function draw() {
    const run = model.get("run");
    player?.play(false);
    player = null;
    place.hidden = !run.steps;
    if (!run.steps) return;
    const url = urls.of(model.get("picture"));
    player = mount(
      place,
      { ...run, picture: { ...run.picture, url: run.picture.url && url } },
      {
        at: model.get("step"),
        wrong,
        load: (from, to) => ask(model, { do: "load", from, to }),
        variables: (step) => ask(model, { do: "variables", step }),
        onMove: (step) => {
          if (model.get("step") !== step) put(model, { step });
        },
      },
    );
    mark();
    options.onDraw?.(place);
  }
  const go = () => player?.go(model.get("step"));
  const mark = () => player?.mark(model.get("wrong"));
  const table = [
    ["change:run", draw],
    ["change:step", go],
    ["change:wrong", mark],
  ];
  for (const [name, work] of table) model.on(name, work);
  draw();
  return {
    keys: () => player?.keys ?? [],
    stop() {
      for (const [name, work] of table) model.off(name, work);
      player?.play(false);
      urls.forget();
    },
  };
}

/** The line above a run: what was asked, what came out. */
function heading({ question, gold, answer, state, problem, facts }) {
  const out =
    answer === null
      ? h("span.vw-bad", {}, problem || "No answer.")
      : sign(state, answer || "an empty answer");
  return [
    question && h("p.vw-question", {}, question),
    h(
      "p.vw-line",
      {},
      out,
      gold && h("span.vw-soft", {}, `expected ${gold}`),
      facts && h("span.vw-soft", {}, facts),
    ),
  ];
}
export { heading, traitPlayer };
