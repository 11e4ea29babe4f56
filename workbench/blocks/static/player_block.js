// The step player in Gradio's Blocks: drawn anew whenever the component's value changes.
import { mount } from "../../screen/static/player.js";

/** A key is the player's while it has the focus, and no control inside wants it. */
function takeKeys(place, player) {
  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isPress = event.key === " " && event.target.closest("button, summary");
    if (isPress || event.target.closest("input, textarea")) return;
    const row = player.keys.find(([key]) => key === event.key);
    if (!row || row[2]() === false) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/** Draw the component's value; `trigger`, `watch` and `props` are Gradio's. */
export function showRun({ element, props, trigger, watch }) {
  let player = null;
  let shown = null;

  function draw() {
    const run = props.value;
    const here = element.querySelector(".vpd-here");
    if (!here || (shown === run && here.firstChild)) return;
    player?.play(false);
    player = null;
    shown = run;
    here.classList.toggle("vpd-dark", element.closest(".dark") !== null);
    here.replaceChildren();
    if (!run?.steps) return;
    const place = document.createElement("div");
    here.append(place);
    player = mount(place, run, {
      onMove: (index) => {
        if (player) trigger("select", { index, value: run.steps[index][2] });
      },
    });
    takeKeys(place, player);
  }
  watch("value", draw);
  draw();
}
