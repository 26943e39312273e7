const scheme = location.protocol === "https:"
  ? "wss://"
  : "ws://"
const socket = new WebSocket(scheme + location.host + "/ws/room/")
const same = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws/room/")
const events = new EventSource("/events/")
