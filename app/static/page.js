// The trace page: fetches one trace, gives it to the player, and listens to the keys.
import { linkRationale } from "./boxes.js";
import { mount } from "./player.js";

const root = document.querySelector("[data-player]");
const find = (name) => root.querySelector(`[data-${name}]`);
const buttons = Object.fromEntries([...root.querySelectorAll("[data-go]")].map((node) => [node.dataset.go, node]));

function failed(message) {
  find("detail").textContent = message;
}

async function start() {
  const reply = await fetch(root.dataset.player);
  if (!reply.ok) return failed("The trace could not be read; nothing in the store has changed. Reload to try again.");
  const data = await reply.json();
  const overlay = root.querySelector(".overlay");
  const player = mount(data, {
    code: find("code"), strip: find("strip"), detail: find("detail"), count: find("count"), overlay,
    playing: (on) => { buttons.play.textContent = on ? "❚❚" : "▶"; buttons.play.setAttribute("aria-label", on ? "Stop" : "Play"); },
  }, (at) => {
    buttons.previous.disabled = at === 0;
    buttons.next.disabled = at === data.steps.length - 1;
    const address = new URL(location);
    address.searchParams.set("step", at);
    history.replaceState(null, "", address);
  });
  const told = root.querySelector(".rationale");
  if (told && overlay) linkRationale(told, overlay, player.show);
  buttons.previous.addEventListener("click", () => player.step(-1));
  buttons.next.addEventListener("click", () => player.step(1));
  buttons.play.addEventListener("click", () => player.play());
  addEventListener("resize", player.show);
  const keys = {
    ArrowLeft: () => player.step(-1), ArrowRight: () => player.step(1),
    Home: () => player.go(0), End: () => player.go(player.last), " ": () => player.play(),
    "[": () => document.querySelector("[data-previous]")?.click(), "]": () => document.querySelector("[data-next]")?.click(),
  };
  addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, textarea, select, summary") || (event.key === " " && event.target.closest("button, a"));
    if (busy || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  player.go(root.dataset.step === "" ? data.start : Number(root.dataset.step));
}

start().catch(() => failed("The trace could not be reached; is `vpd app` still running? Nothing in the store has changed."));
