import { ReconnectingSocket } from "../tandem/reconnecting-socket.js";
import { bubble, element } from "./bubble.js";

// docs/chat.md describes the frames.

const root = document.getElementById("chat");
const log = document.getElementById("log");
const status = document.getElementById("status");
const presence = document.getElementById("presence");
const form = document.getElementById("compose");
const input = document.getElementById("message");

const typing = document.getElementById("typing");

const TYPING_EVERY = 2000; // ms: so often the others are told, at most
const TYPING_SHOWN = 4000;
const LOGIN_HINT_AFTER = 5; // refusals in a row: perhaps the session is over

let lastId = Number(root.dataset.after);
const outbox = new Map(); // key → {text, item}: sent perhaps, acknowledged not yet

/** Change the log without moving what somebody is reading further up. */
function keepingPlace(change) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  change();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function show(frame) {
  if (frame.id <= lastId) return; // seen already
  lastId = frame.id;
  root.dataset.lastId = lastId;
  keepingPlace(() => {
    const item = bubble(root.dataset.user, frame.user, frame.message, new Date(frame.sent_at));
    item.dataset.id = frame.id;
    const firstPending = log.querySelector("[data-pending]");
    log.insertBefore(item, firstPending); // what is on its way stays below
  });
}

const oldest = () => Number(log.querySelector("[data-id]")?.dataset.id ?? 0);
let paging = false; // asked for older messages, or there are none

/** Show older messages above, leaving what is read where it is. */
function showOlder({ history, more }) {
  const height = log.scrollHeight;
  log.prepend(...history.filter((frame) => frame.id < oldest()).map((frame) => {
    const item = bubble(root.dataset.user, frame.user, frame.message, new Date(frame.sent_at));
    item.dataset.id = frame.id;
    return item;
  }));
  log.scrollTop += log.scrollHeight - height;
  paging = !more;
}

let typist = null; // timer of the line that says who is typing
function showTyping(names) {
  typing.textContent = `${names.join(", ")} is typing…`;
  clearTimeout(typist);
  typist = setTimeout(() => (typing.textContent = ""), TYPING_SHOWN);
}

function acknowledged(key) {
  outbox.get(key)?.item.remove(); // its message is shown, or will be, under its id
  outbox.delete(key);
}

function failed(key, sentence) {
  const entry = outbox.get(key);
  if (!entry) return;
  outbox.delete(key);
  entry.item.classList.add("failed");
  entry.item.append(element("span", "problem", sentence));
}

function receive(frame) {
  if ("id" in frame && "message" in frame) show(frame);
  else if ("ack" in frame) acknowledged(frame.ack);
  else if ("history" in frame) showOlder(frame);
  else if ("typing" in frame) showTyping(frame.typing);
  else if ("presence" in frame) presence.replaceChildren(...frame.presence.map((name) => element("li", "", name)));
  else if ("worker" in frame) {
    root.dataset.worker = frame.worker;
    status.textContent = `live on ${frame.worker}`;
    status.title = `process ${frame.pid}, release ${frame.release}`;
  } else if ("error" in frame) failed(frame.key, frame.detail);
}

function state(name, { wait = 0, failures }) {
  root.dataset.state = name;
  if (name !== "open") delete root.dataset.worker;
  if (name === "waiting") {
    status.textContent = navigator.onLine ? `reconnecting in ${Math.ceil(wait / 1000)} s…` : "offline";
    if (failures >= LOGIN_HINT_AFTER) {
      const link = element("a", "", "You may need to log in again.");
      link.href = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
      status.append(" ", link);
    }
  }
}

const socket = new ReconnectingSocket({
  url: () => `${location.protocol.replace("http", "ws")}//${location.host}${root.dataset.path}?after=${lastId}`,
  onopen: (open) => {
    open.send({ watch: true });
    for (const [key, { text }] of outbox) open.send({ message: text, key });
  },
  onmessage: receive,
  onstate: state,
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = input.value;
  if (!text.trim()) return;
  const key = crypto.randomUUID();
  const item = bubble(root.dataset.user, root.dataset.user, text, new Date());
  item.dataset.pending = key;
  keepingPlace(() => log.append(item));
  log.scrollTop = log.scrollHeight;
  outbox.set(key, { text, item });
  socket.send({ message: text, key });
  input.value = "";
  input.focus();
});

input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});

let typedAt = 0;
input.addEventListener("input", () => {
  if (Date.now() - typedAt < TYPING_EVERY) return;
  typedAt = Date.now();
  socket.send({ typing: true });
});

log.addEventListener("scroll", () => {
  if (log.scrollTop > 40 || paging || oldest() <= 1) return;
  paging = socket.send({ before: oldest() });
});

log.scrollTop = log.scrollHeight;
