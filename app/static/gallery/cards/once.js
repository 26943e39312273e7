/** Connect, get one message, be closed: the round trip includes the handshake. */

import { lenient, openSocket } from "../open-socket.js";

let count = 0;

export function connect(card) {
  const since = performance.now();
  return openSocket(card, {
    parse: lenient,
    format: String,
    onopen(socket) {
      if (card.data.ask) socket.send(card.data.ask.replace("{n}", (count += 1)));
    },
    onmessage(frame) {
      card.measured(performance.now() - since);
      card.said(String(frame));
    },
  });
}
