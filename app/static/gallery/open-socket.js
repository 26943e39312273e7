/** A card's WebSocket: reconnects as long as that may help, and tells the card how it is. */

import { ReconnectingSocket } from "../tandem/reconnecting-socket.js";

const NEVER_OPEN = 3; // attempts before a socket that was never open counts as refused
const WAS_OPEN = 12; // the same for one that was: its worker may be restarting
const NORMAL = 1000;
const NOT_ALLOWED = [1008, 4401, 4403];
const INTERNAL_ERROR = 1011; // with such a reason: how some servers refuse a token

export const REFUSED = "The server refuses this connection: it may not run here, or your session is over.";

export function address(path) {
  return `${location.protocol.replace("http", "ws")}//${location.host}${path}`;
}

/** @param {object} options - those of ReconnectingSocket, less the card's own */
export function openSocket(card, { onopen = () => {}, ...options }) {
  let opened = false;
  let refused = "";
  return new ReconnectingSocket({
    url: () => address(card.data.address),
    onopen: (socket) => {
      opened = true;
      return onopen(socket);
    },
    again({ code, reason, failures }) {
      if (NOT_ALLOWED.includes(code) || (code === INTERNAL_ERROR && reason.includes("authentication"))) {
        refused = `The server closed it: ${reason || code}.`;
      } else if (failures >= (opened ? WAS_OPEN : NEVER_OPEN)) refused = REFUSED;
      return !refused && code !== NORMAL;
    },
    onstate(state, { wait, code }) {
      if (state === "waiting") card.show(state, `back in ${Math.ceil(wait / 1000)} s`);
      else if (refused) card.ended("refused", "refused", refused);
      else if (code === NORMAL) card.ended("closed", "closed by the server");
      else if (state !== "closed") card.show(state, state === "open" ? "open" : "connecting…");
    },
    ...options,
  });
}

/** Read a frame as JSON if it is, else as the text it is. */
export function lenient(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
