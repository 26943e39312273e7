import { ReconnectingSocket } from "../tandem/reconnecting-socket.js";

// docs/notifications.md describes the frames.

const root = document.getElementById("changes");
const log = document.getElementById("log");
const status = document.getElementById("status");
const csrf = root.querySelector("[name=csrfmiddlewaretoken]").value;

const KEPT = 200; // changes on the page

let lastId = Number(root.dataset.after);
const shown = new Set(); // after an interruption a change may come twice, or late

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function show(change) {
  lastId = Math.max(lastId, change.id);
  root.dataset.lastId = lastId;
  if (shown.has(change.id)) return;
  shown.add(change.id);
  const item = document.createElement("li");
  item.dataset.id = change.id;
  const when = new Date(change.timestamp);
  const time = element("time", "", when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = when.toISOString();
  item.append(element("span", "user", change.user), element("span", "text", `${change.object}: ${change.message}`), time);
  log.append(item);
  while (log.children.length > KEPT) log.firstElementChild.remove();
  log.scrollTop = log.scrollHeight;
}

/** The token lives for half a minute, so each connection fetches its own. */
async function introduce(open) {
  const socket = open.socket;
  try {
    const answer = await fetch(root.dataset.tokenPath, { method: "POST", headers: { "X-CSRFToken": csrf } });
    if (answer.status === 401) askToLogIn();
    if (!answer.ok) throw new Error(`no token: ${answer.status}`);
    const { token } = await answer.json();
    open.send({ token, after: lastId });
  } catch {
    socket.close(); // it comes back, after a while
  }
}

function askToLogIn() {
  const link = element("a", "", "Log in again.");
  link.href = `/accounts/login/?next=${encodeURIComponent(location.pathname)}`;
  status.replaceChildren("You are logged out. ", link);
}

function receive(frame) {
  if ("worker" in frame) {
    root.dataset.state = "live";
    root.dataset.worker = frame.worker;
    status.textContent = `live on ${frame.worker}`;
  } else show(frame);
}

new ReconnectingSocket({
  url: () => `${location.protocol.replace("http", "ws")}//${location.host}${root.dataset.path}`,
  onopen: introduce,
  onmessage: receive,
  onstate: (name, { wait = 0 }) => {
    root.dataset.state = name;
    if (name === "waiting") {
      delete root.dataset.worker;
      if (!status.querySelector("a")) status.textContent = `reconnecting in ${Math.ceil(wait / 1000)} s…`;
    }
  },
});
