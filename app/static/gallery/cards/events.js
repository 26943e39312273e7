/** Listen to Server-Sent Events: the browser itself reconnects and resumes. */

import { REFUSED } from "../open-socket.js";
import { tell } from "../tell.js";

export function connect(card) {
  const source = new EventSource(card.data.address);
  card.show("connecting", "connecting…");
  source.onopen = () => card.show("open");
  source.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    card.pushed();
    card.said(tell(event));
    if (event.worker) card.heldBy(event.worker);
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CONNECTING) card.show("waiting", "coming back");
    else card.ended("refused", "refused", REFUSED); // an answer that is no event stream
  };
  return { stop: () => source.close() };
}
