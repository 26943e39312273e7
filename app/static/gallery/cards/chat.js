/** A small view of a chat room.  docs/chat.md describes the frames. */

import { address, openSocket } from "../open-socket.js";

const SHOWN = 6;
const TYPING_EVERY = 3000; // ms
const TYPING_SHOWN = 5000;

export function connect(card) {
  const log = card.find(".talk");
  const field = card.find("form input[type=text]");
  const pending = new Map(); // key → {text, since}: sent perhaps, acknowledged not yet
  let lastId = Number(log.lastElementChild?.dataset.id ?? 0);
  let typedAt = 0;
  let typingTimer = null;

  function show({ id, user, message }) {
    if (id <= lastId) return;
    lastId = id;
    const item = document.createElement("li");
    item.dataset.id = id;
    const name = document.createElement("b");
    name.textContent = user;
    item.append(name, ` ${message}`);
    log.append(item);
    while (log.children.length > SHOWN) log.firstElementChild.remove();
  }

  function typing(names) {
    clearTimeout(typingTimer);
    card.write("typing", names.length ? `${names.join(", ")} typing…` : "");
    typingTimer = setTimeout(() => card.write("typing", ""), TYPING_SHOWN);
  }

  const socket = openSocket(card, {
    url: () => address(card.data.address) + (lastId ? `?after=${lastId}` : ""),
    onopen(open) {
      open.send({ watch: true });
      for (const [key, { text }] of pending) open.send({ message: text, key });
    },
    onmessage(frame) {
      if ("id" in frame && "message" in frame) show(frame);
      else if ("ack" in frame) acknowledged(frame.ack);
      else if ("presence" in frame) card.said(`Here now: ${frame.presence.join(", ")}`);
      else if ("typing" in frame) typing(frame.typing);
      else if ("worker" in frame) card.heldBy(frame.worker);
      else if ("error" in frame) {
        pending.delete(frame.key);
        card.said(frame.detail);
      }
    },
  });

  function acknowledged(key) {
    const since = pending.get(key)?.since;
    if (since) card.measured(performance.now() - since);
    pending.delete(key);
  }

  function tellTyping() {
    if (Date.now() - typedAt < TYPING_EVERY) return;
    typedAt = Date.now();
    socket.send({ typing: true });
  }
  field.addEventListener("input", tellTyping);

  return {
    send(text) {
      const key = crypto.randomUUID();
      pending.set(key, { text, since: performance.now() });
      socket.send({ message: text, key });
    },
    stop() {
      field.removeEventListener("input", tellTyping);
      socket.stop();
    },
  };
}
