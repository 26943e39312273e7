/** Listen to a socket: ticker, scores, notifications. */

import { openSocket } from "../open-socket.js";
import { tell } from "../tell.js";

export function connect(card) {
  let events = 0;
  return openSocket(card, {
    format: String,
    async onopen(open) {
      if (!card.data.token) return;
      const token = await fetchToken(card);
      if (token) open.send(token);
      else {
        open.stop();
        card.ended("refused", "refused", "No token was given: your session may be over.");
      }
    },
    onmessage(frame) {
      events += 1;
      card.pushed();
      card.said(tell(frame));
      card.write("tally", `1 request, ${events} update${events > 1 ? "s" : ""}`);
      if (frame.worker) card.heldBy(frame.worker);
    },
  });
}

/** Fetch a token that is valid for seconds; a query string or cookie is not needed then. */
async function fetchToken(card) {
  const csrf = card.find("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(card.data.token, { method: "POST", headers: { "X-CSRFToken": csrf } });
  return answer.ok && !answer.redirected ? (await answer.json()).token : "";
}
