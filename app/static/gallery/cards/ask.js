/** Ask, get one answer, measure: echo, ping pong, lower case. */

import { openSocket } from "../open-socket.js";

const EVERY = 2000; // ms

export function connect(card) {
  const asked = []; // when, oldest first: answers come in order
  let count = 0;
  const send = (text) => {
    if (socket.send(text)) asked.push(performance.now());
  };
  const ask = () => send(card.data.ask.replace("{n}", (count += 1)));
  const socket = openSocket(card, {
    parse: String,
    format: String,
    onopen() {
      asked.length = 0;
      ask();
    },
    onmessage(text) {
      if (asked.length) card.measured(performance.now() - asked.shift());
      card.said(text);
    },
  });
  const timer = setInterval(ask, EVERY);
  return {
    send,
    stop() {
      clearInterval(timer);
      socket.stop();
    },
  };
}
