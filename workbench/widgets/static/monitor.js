import { h } from "../../screen/static/player_elements.js";
import { ask, follow, frame } from "./common.js";

const WIDTH = 420;
const HEIGHT = 130;
const MARGIN = 40;
const short = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));
const timeLeft = (seconds) =>
  seconds < 90 ? `${Math.round(seconds)} s left` : `${Math.round(seconds / 60)} min left`;

/**
 * A curve with its last value in words.  Losses are drawn as they are and smoothed, shares as
 * points.
 */
function plot(name, points) {
  const share = name === "accuracy";
  const values = points.map(([, value]) => value);
  const steps = points.map(([step]) => step);
  const low = share ? 0 : Math.min(...values);
  const high = share ? 1 : Math.max(...values);
  const first = steps[0];
  const last = steps.at(-1);
  const x = (step) =>
    MARGIN + (WIDTH - MARGIN) * (last === first ? 1 : (step - first) / (last - first));
  const y = (value) => HEIGHT - HEIGHT * (high === low ? 0.5 : (value - low) / (high - low));
  const path = (rows) =>
    rows.map(([step, value]) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  let mean = values[0];
  const smooth = points.map(([step, value]) => [step, (mean = 0.9 * mean + 0.1 * value)]);
  const tick = (value) => [
    h("svg:line", { x1: MARGIN, x2: WIDTH, y1: y(value), y2: y(value) }),
    h(
      "svg:text",
      { x: MARGIN - 6, y: y(value) + 4, "text-anchor": "end" },
      share ? `${100 * value} %` : short(value),
    ),
  ];
  const curve = share
    ? [
        h("svg:polyline", { points: path(points) }),
        points.map(([step, value]) => h("svg:circle", { cx: x(step), cy: y(value), r: 3 })),
      ]
    : [
        h("svg:polyline.vw-raw", { points: path(points) }),
        h("svg:polyline", { points: path(smooth) }),
      ];
  const words = share
    ? `Right on held-out questions: ${(100 * values.at(-1)).toFixed(1)} % at step ${last}`
    : `Loss: ${short(values.at(-1))} at step ${last}`;
  return h(
    "figure.vw-plot",
    {},
    h("figcaption", {}, words),
    h(
      "svg:svg",
      { viewBox: `0 -8 ${WIDTH + 8} ${HEIGHT + 24}`, role: "img", "aria-label": words },
      tick(low),
      tick(high),
      curve,
      h("svg:text", { x: MARGIN, y: HEIGHT + 15 }, `step ${first}`),
      h("svg:text", { x: WIDTH, y: HEIGHT + 15, "text-anchor": "end" }, String(last)),
    ),
  );
}

function render({ model, el }) {
  const node = frame(el, "Training job");
  const title = h("p.vw-question");
  const line = h("p.vw-line", { role: "status" });
  const bar = h("span");
  const plots = h("div.vw-plots");
  const trouble = h("p.vw-banner.vw-bad", { hidden: true });
  const log = h("pre.vw-log");
  const stop = h(
    "button.vw-button",
    {
      type: "button",
      onclick: () => {
        stop.disabled = true;
        ask(model, { do: "stop" }).catch((error) => say(error.message));
      },
    },
    "Stop and save",
  );
  const say = (words) => {
    trouble.textContent = words;
    trouble.hidden = !words;
  };
  node.append(
    h("header.vw-head", {}, title, line),
    h("div.vw-progress", { "aria-hidden": "true" }, bar),
    trouble,
    plots,
    h("details.vw-help", {}, h("summary", {}, "log"), log),
    h("div.vw-bar", {}, stop),
  );
  const end = follow(model, ["state", "done", "total", "seen", "curves", "lines", "name"], () => {
    const state = model.get("state");
    const steps = model.get("done");
    const total = model.get("total");
    const { id, place, eta, silent, failure } = model.get("seen");
    title.textContent = model.get("name");
    line.replaceChildren(
      ...[
        h("b", {}, state),
        total ? h("span", {}, `step ${steps} of ${total}`) : "",
        place ? h("span", {}, `place ${place} in the queue`) : "",
        eta && state === "running" ? h("span", {}, timeLeft(eta)) : "",
        silent ? h("span.vw-bad", {}, `no sign for ${Math.round(silent)} s`) : "",
        h("span.vw-soft", {}, id),
      ].filter(Boolean),
    );
    bar.style.width = `${total ? (100 * steps) / total : 0}%`;
    if (failure) say(`${failure.text} ${failure.advice}`);
    plots.replaceChildren(
      ...Object.entries(model.get("curves")).map(([name, points]) => plot(name, points)),
    );
    log.textContent = model.get("lines").join("\n");
    log.parentElement.hidden = !log.textContent;
    stop.disabled = !["running", "queued"].includes(state);
  });
  return end;
}

export default { render };
