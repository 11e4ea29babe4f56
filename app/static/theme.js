// Light or dark: the reader's choice if there is one, else the system's.  Runs before the first
// paint.
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

function choice() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

function apply() {
  root.dataset.theme = choice() ?? (system.matches ? "dark" : "light");
}

apply();
system.addEventListener("change", apply);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-toggle-theme]")) return;
  try {
    localStorage.setItem("theme", root.dataset.theme === "dark" ? "light" : "dark");
  } catch {
    /* private window */
  }
  apply();
});
