// A question's page: all boxes of its kept rationale on the picture, until one is pointed at.
import { draw, linkRationale } from "./boxes.js";

const overlay = document.querySelector("[data-stage] .overlay");
const told = document.querySelector(".rationale");
if (overlay && told) {
  let all = () => draw(overlay, []);
  all = linkRationale(told, overlay, () => all());
  all();
  addEventListener("resize", all);
}
