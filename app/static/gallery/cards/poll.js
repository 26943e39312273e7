/** What a socket replaces: ask every few seconds whether there is news. */

import { tell } from "../tell.js";

const EVERY = 5000; // ms

export function connect(card) {
  let asked = 0;
  let news = 0;
  let version = null;
  const stopped = new AbortController();

  async function ask() {
    const since = performance.now();
    asked += 1;
    const answer = await fetch(card.data.address, { cache: "no-store", signal: stopped.signal });
    if (answer.status === 404) return refuse("There is no such match.");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const state = await answer.json();
    card.show("open", "open, between questions");
    card.measured(performance.now() - since);
    card.heldBy(answer.headers.get("X-Upstream"));
    if (state.version !== version) news += 1;
    version = state.version;
    card.said(tell(state));
    card.write("tally", `${asked} request${asked > 1 ? "s" : ""}, ${news} with news`);
  }

  const turn = () =>
    ask().catch((error) => {
      if (!stopped.signal.aborted) card.show("waiting", `${error.message}; next question in 5 s`);
    });
  const timer = setInterval(turn, EVERY);
  const stop = () => {
    clearInterval(timer);
    stopped.abort();
  };
  function refuse(why) {
    stop();
    card.ended("refused", "refused", why);
  }

  card.show("connecting", "asking…");
  turn();
  return { stop };
}
