import { ReconnectingSocket } from "../tandem/reconnecting-socket.js";

const MANY_FAILURES = 5; // in a row: say that the score on show may be old

const root = document.getElementById("match");
const score = root.querySelector(".score");
const connection = document.getElementById("connection");
const changed = document.getElementById("changed");

function show(frame) {
  if (frame.version < Number(root.dataset.version)) return; // overtaken by a newer one
  const news = frame.version > Number(root.dataset.version);
  root.dataset.version = frame.version;
  for (const field of root.querySelectorAll("[data-field]")) field.textContent = frame[field.dataset.field];
  const time = new Date(frame.updated_at);
  if (!Number.isNaN(time.valueOf())) changed.textContent = `· changed at ${time.toLocaleTimeString()}`;
  if (news) {
    score.classList.remove("fresh");
    requestAnimationFrame(() => score.classList.add("fresh"));
  }
}

function state(name, { wait = 0, failures }) {
  root.dataset.state = failures > MANY_FAILURES ? "refused" : name;
  if (name === "open") connection.textContent = "live";
  else if (name === "waiting") {
    const old = failures > MANY_FAILURES ? " This score may be old." : "";
    connection.textContent = `not live, trying again in ${Math.ceil(wait / 1000)} s.${old}`;
  }
}

new ReconnectingSocket({
  url: () => `${location.protocol.replace("http", "ws")}//${location.host}${root.dataset.path}`,
  onopen: () => {},
  onmessage: show,
  onstate: state,
});
