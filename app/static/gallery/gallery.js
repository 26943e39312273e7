/** Brings the cards to life, one after the other; gallery.styles says which kind each is. */

import { Card } from "./card.js";
import { connect as ask } from "./cards/ask.js";
import { connect as chat } from "./cards/chat.js";
import { connect as events } from "./cards/events.js";
import { connect as once } from "./cards/once.js";
import { connect as poll } from "./cards/poll.js";
import { connect as push } from "./cards/push.js";

const KINDS = { ask, chat, events, once, poll, push };
const GAP = 60; // ms between two cards, and up to twice as much more: no storm of handshakes
const HIDDEN_FOR = 60_000; // ms; a page that nobody looks at needs no sockets

const summary = document.getElementById("summary");
const cards = [...document.querySelectorAll("[data-kind]")].map((root) => new Card(root, KINDS[root.dataset.kind]));

async function startAll(some) {
  for (const card of some) {
    card.start();
    await new Promise((done) => setTimeout(done, GAP * (1 + 2 * Math.random())));
  }
}

function summarise() {
  const open = cards.filter((card) => card.data.state === "open").length;
  const refused = cards.filter((card) => card.data.state === "refused").length;
  const text = `${open} of ${cards.length} open${refused ? `, ${refused} refused` : ""}`;
  if (summary.textContent !== text) summary.textContent = text;
}

let hiddenTimer = null;
let paused = [];
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.visibilityState === "visible") startAll(paused.splice(0));
  else {
    hiddenTimer = setTimeout(() => {
      paused = cards.filter((card) => card.connection);
      for (const card of paused) card.stop("asleep while nobody looks");
    }, HIDDEN_FOR);
  }
});

setInterval(() => {
  for (const card of cards) card.age();
  summarise();
}, 1000);
startAll(cards);
