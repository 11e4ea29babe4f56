// The questions that this page holds: the one on screen, those leased ahead of it, and those that
// were decided here.
import { allOf } from "./player_elements.js";
import { newId, post, unsent } from "./server.js";

const MOST = 12;
const LEAST = 3; // questions leased ahead: a tenth of what is left, within these

/**
 * `query` is {q, order, state}.  `onChange()` runs when the question on screen or its hold changed,
 * `onLoss(item, by)` when somebody else has a question now.
 */
export function line(query, { onChange, onLoss }) {
  const page = newId();
  const place = `vpd-curate ${document.body.dataset.scope} ${JSON.stringify(query)}`;
  let items = [];
  let at = -1;
  let request = null;
  let dry = 0;
  let none = null;
  let problem = "";
  let backlog = 0;
  let lasts = 300;
  let since = null;

  const open = (item) => !item.mine && !item.gone;
  const current = () => items[at] ?? null;
  const ahead = () => items.slice(at + 1).filter(open).length;

  function ready(item) {
    item.spent = 0;
    item.before = item.mine;
    // skipped before, asked for again, or disputed: it is to be decided now
    if (item.until) item.mine = null;
    // fetched and decoded before they are shown
    item.images = allOf(item.picture)
      .filter(({ url }) => url)
      .map(({ url }) => {
        const image = new Image();
        image.src = url;
        image.decode().catch(() => {});
        return image;
      });
    return item;
  }

  async function ask(body) {
    const reply = await post("do/curate/next", { page, ...query, ...body });
    lasts = reply.lasts;
    return reply;
  }

  /** Ask for more when there is room for more. */
  function more() {
    if (request || Date.now() < dry) return request;
    const room = current() ? Math.min(MOST, Math.max(LEAST, Math.ceil(backlog / 10))) - ahead() : 2;
    if (room < 1 || (room < LEAST && ahead() >= LEAST)) return null;
    const have = [
      ...items.filter(open).map((item) => item.task),
      ...unsent()
        .map((body) => body.task)
        .filter(Boolean),
    ];
    request = ask({ count: room, have })
      .then(
        (reply) => {
          problem = "";
          none = reply.items.length ? null : (reply.none ?? none);
          if (!reply.items.length) dry = Date.now() + 8000;
          const ids = new Set(items.filter(open).map((item) => item.task));
          items.push(...reply.items.filter((item) => !ids.has(item.task)).map(ready));
          return reply.items.length > 0;
        },
        (error) => {
          problem = error.message;
          dry = Date.now() + 2000;
          setTimeout(more, 2100);
          return false;
        },
      )
      .then((some) => {
        request = null;
        if (!current()) {
          at = items.findIndex(open);
          change();
        }
        if (some) more();
        else if (!current() && !none && !problem) {
          setTimeout(() => {
            dry = 0;
            more();
          }, 300);
        } // until all is saved
      });
    return request;
  }

  /** The question that this tab showed before it was loaded again; null where there was none. */
  function lastSeen() {
    try {
      return sessionStorage.getItem(place);
    } catch {
      return null; // private window
    }
  }

  /** Remember the question on screen while it is open. */
  function remember() {
    const item = current();
    try {
      if (item && open(item) && !item.holder) sessionStorage.setItem(place, item.task);
      else sessionStorage.removeItem(place);
    } catch {
      /* private window */
    }
  }

  function change() {
    remember();
    onChange();
  }

  /** Begin with the question that was on screen before; with the queue where it is not free. */
  function resume(task) {
    request = ask({ task }).then(
      (reply) => reply.items.filter((item) => item.until),
      () => [], // it may be gone; the queue says what else there is
    );
    request.then((fresh) => {
      request = null;
      if (fresh.length) {
        items.unshift(...fresh.map(ready));
        at = 0;
        change();
      }
      more();
    });
  }

  /**
   * Go to the next question that is open, or to none; it is shown before anything is asked of the
   * server.
   */
  function advance() {
    const after = items.findIndex((item, index) => index > at && open(item));
    at = after >= 0 ? after : items.findIndex(open);
    if (at < 0) dry = 0;
    change();
    more();
  }

  function move(offset) {
    const to = at < 0 && offset < 0 ? items.length - 1 : at + offset;
    if (!items[to]) return false;
    at = to;
    change();
    more();
    return true;
  }

  /** Show one question by its id: from here, or from the server. */
  async function bring(task) {
    let where = items.findIndex((item) => item.task === task);
    if (where < 0) {
      const reply = await ask({ task });
      where = Math.max(at, 0);
      items.splice(where, 0, ready(reply.items[0]));
    }
    at = where;
    change();
    more();
  }

  const leases = () => items.filter((item) => open(item) && !item.holder).map((item) => item.task);

  /** Say that these are still looked at; take again what had run out. */
  async function hold() {
    if (document.hidden || !leases().length) return;
    try {
      const reply = await post("do/curate/hold", { page, tasks: leases() });
      for (const one of reply.lost) {
        const item = items.find((other) => other.task === one.task);
        if (!item || !open(item)) continue;
        item.gone = one.by;
        onLoss(item, one.by, item === current());
      }
      items = items.filter((item, index) => !item.gone || index <= at || item === current());
    } catch {
      /* the server is away: the next beat says it */
    }
  }

  let beats = 0;
  setInterval(() => {
    beats += 1;
    if (beats % Math.max(1, Math.floor(Math.min(60, lasts / 3))) === 0) hold();
    if (beats % 15 === 0 && !current()) {
      dry = 0;
      more();
    }
  }, 1000);

  // --- time that somebody looked

  const present = () => !document.hidden && document.hasFocus();
  function clock() {
    const item = current();
    if (since && item && item === since.item) item.spent += performance.now() - since.at;
    since = item && present() ? { item, at: performance.now() } : null;
  }
  for (const name of ["focus", "blur", "visibilitychange"]) {
    (name === "visibilitychange" ? document : window).addEventListener(name, clock);
  }
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) hold();
  });
  addEventListener("pagehide", () => {
    const tasks = items.filter(open).map((item) => item.task);
    if (tasks.length) {
      navigator.sendBeacon(
        "do/curate/release",
        new Blob([JSON.stringify({ page, tasks })], { type: "application/json" }),
      );
    }
  });

  return {
    page,
    lastSeen,
    resume,
    current,
    ahead,
    more,
    advance,
    move,
    bring,
    hold,
    clock,
    find: (task) => items.find((item) => item.task === task),
    left: () => items.filter((item, index) => index !== at && open(item)).length,
    none: () => none,
    problem: () => problem,
    busy: () => request !== null,
    position: () => [at + 1, items.length],
    setBacklog: (count) => {
      backlog = count;
      more();
    },
    again: () => {
      none = null;
      dry = 0;
      more();
    },
  };
}
