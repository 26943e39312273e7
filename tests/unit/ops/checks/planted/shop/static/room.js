const fixed = new WebSocket("ws://localhost:8000/chat/stream/") //  # W029
const split = new WebSocket("ws" + "://" + location.host) //  # W029
const parts = new WebSocket('ws:' + '//' + location.host) //  # W029
const events = new EventSource("http://localhost:8000/events/") //  # W029
// new WebSocket("ws://localhost") was here before.
const waived = new WebSocket("ws://localhost/") // # tandem: ignore[W029] a tool of ours




const scheme = location.protocol === "https:" ? "wss://" : "ws://"
const other = new WebSocket(scheme + location.hostname + ":8001/ws/") //  # W029
const port = new WebSocket(`wss://${location.hostname}:8001/ws/`) //  # W029
