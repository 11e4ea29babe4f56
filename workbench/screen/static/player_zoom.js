// A larger picture, moved by hand.

/**
 * Zoom and pan of `canvas` in `stage`; `redraw()` follows a zoom.  Returns {by(factor), whole()}.
 */
export function zoomOf(stage, canvas, redraw) {
  let zoom = 1;
  let pan = [0, 0];

  function place() {
    const limit = (zoom - 1) / 2;
    pan = pan.map((part) => Math.min(Math.max(part, -limit), limit));
    const transform = `translate(${100 * pan[0]}%, ${100 * pan[1]}%) scale(${zoom})`;
    canvas.style.transform = zoom === 1 ? "" : transform;
    stage.classList.toggle("vp-zoomed", zoom > 1);
  }

  function to(scale) {
    zoom = Math.min(Math.max(scale, 1), 8);
    if (zoom < 1.05) zoom = 1;
    place();
    redraw();
  }

  const by = (factor) => to(zoom * factor);

  function onWheel(event) {
    if (!event.ctrlKey) return; // the page scrolls
    event.preventDefault();
    by(event.deltaY < 0 ? 1.2 : 1 / 1.2);
  }

  function onDrag(event) {
    const [x, y] = pan;
    pan = [x + event.movementX / stage.clientWidth, y + event.movementY / stage.clientHeight];
    place();
  }

  stage.addEventListener("wheel", onWheel, { passive: false });
  stage.addEventListener("dblclick", (event) => {
    if (!event.target.closest("button")) to(zoom > 1 ? 1 : 2);
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (zoom === 1) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.addEventListener("pointermove", onDrag);
    const stop = () => canvas.removeEventListener("pointermove", onDrag);
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, stop, { once: true });
    }
  });
  return { by, whole: () => to(1) };
}
