// Filters with their counts, and searches that were given a name.
import { h } from "./dom.js";
import { get, newId, save, toast } from "./server.js";

const place = document.querySelector("[data-facets]");
const opener = document.querySelector("[data-filters]");
const menu = document.querySelector("[data-views]");
const wholeFacets = new Set(); // facets of which all values are shown
const mayChange = document.body.dataset.role !== "viewer";
const FEW = 7;
const orders = new Map(); // the values of each facet in the order in which they were first shown

const chosen = (one) => one.picked || one.excluded;

/**
 * Show or hide the filters where they have no column of their own; returns whether they are a
 * drawer.
 */
export function drawer(on) {
  place.classList.toggle("open", on);
  opener.setAttribute("aria-expanded", String(on));
  if (on) place.querySelector("button")?.focus();
}
opener.addEventListener("click", () => drawer(!place.classList.contains("open")));
document.addEventListener("click", (event) => {
  if (place.classList.contains("open") && !event.target.closest("[data-facets], [data-filters]")) {
    drawer(false);
  }
});
place.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    drawer(false);
    opener.focus();
  }
});

/** A facet whose values keep their places, so that none moves away under the pointer. */
function inPlace(facet) {
  if (!orders.has(facet.name)) orders.set(facet.name, []);
  const order = orders.get(facet.name);
  for (const { value } of facet.values) if (!order.includes(value)) order.push(value);
  const values = [...facet.values].sort((a, b) => order.indexOf(a.value) - order.indexOf(b.value));
  return { ...facet, values };
}

/** Draw the filters and what stands below them; `choose(text)` gets the new search. */
export function drawFacets(facets, choose, below = null) {
  const focusName = document.activeElement?.dataset?.facet;
  const scroll = place.scrollTop;
  // a question need not have a family
  const none = (facet) => `no ${facet.title.toLowerCase()}`;
  const nameOf = (facet, one) => one.value.replaceAll("_", " ") || none(facet);
  const value = (facet, one) =>
    h(
      "div.choice",
      {},
      h(
        "button",
        {
          type: "button",
          "aria-pressed": String(one.picked),
          dataset: { facet: `${facet.name}:${one.value}` },
          title: one.value || none(facet),
          onclick: () => choose(one.to),
        },
        h("i", { "aria-hidden": "true" }, one.picked ? "✓" : ""),
        h(one.excluded ? "s" : "span", {}, nameOf(facet, one)),
        h("small", {}, one.count.toLocaleString("en")),
      ),
      h(
        "button.not",
        {
          type: "button",
          "aria-pressed": String(one.excluded),
          "aria-label": `Without ${facet.title}: ${nameOf(facet, one)}`,
          title: "Without these",
          onclick: () => choose(one.unless),
        },
        "−",
      ),
    );
  const section = (facet) => {
    const all = wholeFacets.has(facet.name);
    const values = facet.values.filter((one, at) => all || at < FEW || chosen(one));
    return h(
      "section",
      {},
      h("h2", {}, facet.title),
      values.map((one) => value(facet, one)),
      moreButton(facet, all, facet.values.length - values.length),
    );
  };
  const moreButton = (facet, all, rest) => {
    if (!rest && !(all && facet.values.length > FEW)) return null;
    const toggle = () => {
      if (all) wholeFacets.delete(facet.name);
      else wholeFacets.add(facet.name);
      drawFacets(facets, choose, below);
    };
    return h(
      "button.more",
      { type: "button", "aria-expanded": String(all), onclick: toggle },
      all ? "fewer" : `${rest} more`,
    );
  };
  const several = (facet) => facet.values.length > 0 && orders.get(facet.name).length > 1;
  const worth = facets.map(inPlace).filter((facet) => facet.values.some(chosen) || several(facet));
  place.replaceChildren(
    h(
      "button.close",
      {
        type: "button",
        onclick: () => {
          drawer(false);
          opener.focus();
        },
      },
      "Done",
    ),
    ...worth.map(section),
    ...(below ? [below] : []),
  );
  place.scrollTop = scroll;
  if (focusName) {
    [...place.querySelectorAll("[data-facet]")]
      .find((node) => node.dataset.facet === focusName)
      ?.focus();
  }
}

/** The menu of saved views; `current()` gives {q, sort}, `choose(q, sort)` opens one. */
export function viewsMenu(current, choose) {
  const [button, sheet] = [menu.querySelector("button"), menu.querySelector(".sheet")];
  const close = () => {
    sheet.hidden = true;
    button.setAttribute("aria-expanded", "false");
  };

  function viewLine(view) {
    const take = () => {
      close();
      choose(view.q, view.sort);
    };
    const forget = async () => {
      await save("do/browse/forget", { name: view.name }).catch(() => null);
      open();
    };
    const name = `Forget ${view.name}`;
    return h(
      "div.line",
      {},
      h(
        "button",
        { type: "button", title: `by ${view.author}`, onclick: take },
        view.name,
        h("small", {}, view.q || "everything"),
      ),
      mayChange &&
        view.mine &&
        h("button", { type: "button", "aria-label": name, title: "Forget", onclick: forget }, "×"),
    );
  }

  async function open() {
    const views = await get("data/views").catch((error) => {
      toast(error.message, "bad");
      return [];
    });
    const name = h("input.field", {
      maxlength: 80,
      placeholder: "Name of this search",
      "aria-label": "Name of this search",
      required: true,
    });
    sheet.replaceChildren(
      ...(views.length
        ? views.map(viewLine)
        : [h("p.soft.small", {}, "No search has a name yet.")]),
      mayChange
        ? h(
            "form",
            {
              onsubmit: async (event) => {
                event.preventDefault();
                const reply = await save("do/browse/view", {
                  id: newId(),
                  name: name.value,
                  ...current(),
                }).catch(() => null);
                if (reply) {
                  toast(`Saved as “${reply.name}”.`);
                  close();
                  button.focus();
                }
              },
            },
            name,
            h("button.main", {}, "Save"),
          )
        : "",
    );
    sheet.hidden = false;
    button.setAttribute("aria-expanded", "true");
  }

  button.addEventListener("click", () => (sheet.hidden ? open() : close()));
  document.addEventListener("click", (event) => {
    const node = /** @type {Node} */ (event.target);
    if (!menu.contains(node) && node.isConnected) close();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      close();
      button.focus();
    }
  });
}
