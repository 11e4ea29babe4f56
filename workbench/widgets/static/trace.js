import { h } from "../../screen/static/player_elements.js";
import { follow, frame, help, takeKeys } from "./common.js";
import { heading, traitPlayer } from "./playing.js";

function render({ model, el }) {
  const node = frame(el, "Run, step by step");
  const head = h("header.vw-head");
  const place = h("div");
  const foot = h("footer");
  node.append(head, place, foot);
  const view = traitPlayer(model, place);
  takeKeys(node, view.keys);
  foot.append(help(view.keys()));
  const stop = follow(model, ["run"], () =>
    head.replaceChildren(...heading(model.get("run").head).filter(Boolean)),
  );
  return () => {
    stop();
    view.stop();
  };
}

export default { render };
