// Recipes: a search that hides what it does not find, and the recipe that the address names, open.
import { amount } from "./dom.js";

/** @type {HTMLInputElement} */
const search = document.querySelector("[data-search]");
/** @type {HTMLDetailsElement[]} */
const recipes = [...document.querySelectorAll("details[data-recipe]")].map(
  (one) => /** @type {HTMLDetailsElement} */ (one),
);
const count = document.querySelector("[data-count]");
/** @type {HTMLElement} */
const none = document.querySelector("[data-none]");

/** Show the recipes whose card has every word of the search. */
function look() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of recipes) {
    const text = one.textContent.toLowerCase();
    one.hidden = !words.every((word) => text.includes(word));
  }
  for (const port of document.querySelectorAll("[data-port]")) {
    const inside = [...port.querySelectorAll("[data-recipe]")];
    port.toggleAttribute(
      "hidden",
      inside.every((one) => one.hasAttribute("hidden")),
    );
  }
  const left = recipes.filter((one) => !one.hidden).length;
  count.textContent = words.length ? `${left} of ${amount(recipes.length, "recipe")}` : "";
  none.hidden = left > 0 || !words.length;
}

/** Open the recipe behind the `#` of the address. */
function open() {
  const named = recipes.find((one) => one.id === decodeURIComponent(location.hash.slice(1)));
  if (!named) return;
  named.open = true;
  named.scrollIntoView({ block: "nearest" });
}

search.addEventListener("input", look);
document.querySelector("[data-all]").addEventListener("click", () => {
  search.value = "";
  look();
  search.focus();
});
addEventListener("hashchange", open);
look();
open();
