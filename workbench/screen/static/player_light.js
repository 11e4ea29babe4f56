// The picture as large as the window: the stage itself moves into a dialog and back, so that boxes,
// zoom and the cursor stay what they are.
import { allOf, h } from "./player_elements.js";

/**
 * Shows `stage` with its `canvas` at the size of the window.
 *
 * redraw   follows a change of size
 * onKey    gets a key pressed meanwhile
 * Returns  {toggle}: opens it, or shuts it again
 */
export function lightOf(stage, canvas, picture, { redraw, onKey }) {
  let dialog = null;
  const home = document.createComment("the picture");

  function close() {
    home.replaceWith(stage);
    canvas.style.width = "";
    dialog.remove();
    dialog = null;
    redraw();
  }

  function open() {
    const shut = h(
      "button.vp-shut",
      { type: "button", "aria-label": "Shut (Esc)", title: "Shut (Esc)" },
      "×",
    );
    shut.addEventListener("click", () => dialog.close());
    const player = stage.closest(".vpd-player");
    stage.replaceWith(home);
    dialog = h("dialog.vp-light", { "aria-label": "The picture at full size" }, stage, shut);
    dialog.addEventListener("close", close);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => {
      const presses = [" ", "Enter"].includes(event.key); // the button that has the focus
      if (presses || event.key === "Escape" || !onKey(event.key)) return;
      event.preventDefault();
      event.stopPropagation(); // once shut, the page would take the key a second time
    });
    player.append(dialog);
    const ratios = allOf(picture).map((one) => one.width / one.height);
    const ratio = ratios.length * Math.min(...ratios); // side by side
    canvas.style.width = `min(94vw, ${90 * ratio}vh)`;
    dialog.showModal();
    shut.focus();
    redraw();
  }

  return { toggle: () => (dialog ? dialog.close() : stage.querySelector("img") && open()) };
}
