// Talking to the server: reading, saving through an outbox that survives a reload, and streams from
// Gradio's queue.
import { h } from "./dom.js";

const scope = `vpd-outbox ${document.body?.dataset.scope ?? ""} `;
const outbox = new Map(); // id -> {entry, resolve, reject}
let busy = false;
let pause = 0;

/** A new id; works without a secure context too. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * GET JSON.  Rejects with an Error whose text is for people.
 * @template {string} Address
 * @param {Address} path
 * @param {RequestInit} options
 * @returns {Promise<import("../js/types").Reply<Address>>}
 */
export async function get(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { headers: { Accept: "application/json" }, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw Object.assign(
      new Error("The server does not answer; is `vpd app` still running? Nothing was changed.", {
        cause: error,
      }),
      { away: true },
    );
  }
  return bodyOf(reply);
}

async function bodyOf(reply) {
  const body = await reply.json().catch(() => ({}));
  if (reply.ok) return body;
  if (reply.status === 401) {
    location.assign(
      `login?next=${encodeURIComponent(location.pathname.split("/").pop() + location.search)}`,
    );
  }
  throw Object.assign(new Error(body.error ?? `The server answered ${reply.status}.`), {
    status: reply.status,
  });
}

/**
 * POST JSON at once, past the outbox: for what is worth nothing later.
 * @template {string} Address
 * @param {Address} path
 * @param {unknown} body
 * @returns {Promise<import("../js/types").Reply<Address>>}
 */
export async function post(path, body) {
  return bodyOf(
    await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

/**
 * Save something: POST `body` with an id made here, so that a retry never doubles it.  It is kept
 * in the browser until the server has it, in order, also over a reload.  Resolves with the reply;
 * rejects when the server refuses it.
 * @template {string} Address
 * @param {Address} path
 * @param {object} body
 * @returns {Promise<import("../js/types").Reply<Address>>}
 */
export function save(path, body) {
  const entry = { path, body: { id: newId(), ...body }, at: Date.now() };
  try {
    localStorage.setItem(scope + entry.body.id, JSON.stringify(entry));
  } catch {
    /* private window: memory alone */
  }
  return new Promise((resolve, reject) => {
    outbox.set(entry.body.id, { entry, resolve, reject });
    flush();
  });
}

/** What is not saved yet. */
export const unsent = () => [...outbox.values()].map(({ entry }) => entry.body);

async function flush() {
  if (busy) return;
  busy = true;
  while (outbox.size) {
    const [id, { entry, resolve, reject }] = outbox.entries().next().value;
    tell(pause ? "away" : "saving");
    try {
      const reply = await post(entry.path, entry.body);
      drop(id);
      resolve(reply);
    } catch (error) {
      if (error.status >= 400 && error.status < 500 && error.status !== 401) {
        drop(id);
        toast(error.message, "bad");
        reject(error);
      } else {
        pause = Math.min(pause * 2 || 1000, 15000);
        tell("away");
        await new Promise((go) => setTimeout(go, pause));
      }
    }
  }
  busy = false;
  tell("saved");
}

function drop(id) {
  pause = 0;
  outbox.delete(id);
  try {
    localStorage.removeItem(scope + id);
  } catch {
    /* never stored */
  }
}

function tell(state) {
  const place = document.querySelector("[data-outbox]");
  if (!place) return;
  place.hidden = false;
  place.className = `state ${state}`;
  place.textContent = {
    saving: "saving…",
    saved: "saved ✓",
    away: `server away: ${outbox.size} not saved yet, trying again`,
  }[state];
}

/** Send what an earlier page left behind. */
export function resume() {
  const entries = Object.keys(localStorage)
    .filter((key) => key.startsWith(scope))
    .map((key) => JSON.parse(localStorage.getItem(key)));
  for (const entry of entries.sort((a, b) => a.at - b.at)) {
    outbox.set(entry.body.id, { entry, resolve: () => {}, reject: () => {} });
  }
  if (outbox.size) flush();
}

addEventListener("online", () => {
  pause = 0;
});
addEventListener("beforeunload", (event) => {
  if (outbox.size) event.preventDefault();
});

/** A short message; `action` is [label, run]. */
export function toast(text, kind = "plain", action = null) {
  const node = h(`div.toast.${kind}`, {}, h("span", {}, text));
  if (action) {
    node.append(
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            action[1]();
            node.remove();
          },
        },
        action[0],
      ),
    );
  }
  node.append(
    h(
      "button.close",
      { type: "button", "aria-label": "Dismiss", onclick: () => node.remove() },
      "×",
    ),
  );
  const place = document.querySelector("[data-toasts]");
  place.append(node);
  while (place.children.length > 4) place.firstChild.remove();
  setTimeout(() => node.remove(), kind === "bad" ? 12000 : 6000);
  return node;
}

/** One server-sent event: [its name, its data]. */
function eventOf(part) {
  const name = /^event: (.*)$/m.exec(part)?.[1];
  const data = /^data: (.*)$/ms.exec(part)?.[1] ?? "null";
  return [name, JSON.parse(data)];
}

const brokenStream = (body) =>
  new Error(body?.error ?? "It broke; what went wrong stands in the terminal.");

/** The events of a reply as they come; they end in an error, because a whole reply says so. */
async function* eventsOf(reply) {
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done: end } = await reader.read();
    if (end) throw new Error("The server stopped in the middle; nothing was stored.");
    const parts = (text + value).split("\n\n");
    text = parts.pop();
    for (const part of parts) yield eventOf(part);
  }
}

/**
 * Call an endpoint of Gradio's queue; `onData` gets what each `yield` of a generator gave, the
 * promise the last.  Aborting `signal` ends the work on the server too.
 * @template {string} Name
 * @template {import("../js/types").Message<Name>} Message
 * @param {Name} name
 * @param {unknown[]} data
 * @param {{onData?: (message: Message) => void, signal?: AbortSignal}} options
 * @returns {Promise<Message>}
 */
export async function stream(name, data, { onData = () => {}, signal } = {}) {
  const ticket = await bodyOf(
    await fetch(`gradio_api/call/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data }),
      signal,
    }),
  );
  const reply = await fetch(`gradio_api/call/${name}/${ticket.event_id}`, { signal });
  let last = null;
  for await (const [event, body] of eventsOf(reply)) {
    if (event === "error") throw brokenStream(body);
    if (event === "generating") {
      [last] = body;
      onData(last);
    }
    if (event === "complete") return body?.length ? body[0] : last;
  }
  return last;
}
