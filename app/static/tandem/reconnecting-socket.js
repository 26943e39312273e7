/**
 * A WebSocket that comes back.
 *
 * Waits between attempts grow and are drawn at random ("full jitter"), so that the
 * clients of a worker that went away do not all come back in the same instant.
 */

const FIRST_WAIT = 500; // ms, upper bound of the first wait
const LONGEST_WAIT = 15000;
const OPEN_TIMEOUT = 10000; // a hung worker lets the handshake hang, nginx would wait a day
const STEADY_AFTER = 10000; // a socket open for so long was a good one: start again from 0

export class ReconnectingSocket {
  /**
   * @param {object} options
   * @param {() => string} options.url - called for each attempt: the resume point moves
   * @param {(socket: ReconnectingSocket) => void|Promise<void>} options.onopen - when it fails,
   *   the socket is closed and comes back
   * @param {(frame: any) => void} options.onmessage - called with the parsed JSON
   * @param {(state: "connecting"|"open"|"waiting"|"closed",
   *   detail: {wait?: number, failures: number, code?: number, reason?: string}) => void} options.onstate
   * @param {(end: {code: number, reason: string, failures: number}) => boolean} [options.again] -
   *   whether to come back after this end; by default always
   * @param {(data: any) => any} [options.parse] - instead of JSON.parse
   * @param {(frame: any) => any} [options.format] - instead of JSON.stringify
   */
  constructor({ url, onopen, onmessage, onstate, again = () => true, parse = JSON.parse, format = JSON.stringify }) {
    Object.assign(this, { url, onopen, onmessage, onstate, again, parse, format });
    this.failures = 0; // in a row
    this.socket = null;
    this.timer = null;
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    addEventListener("online", () => this.retryNow(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.visibilityState === "visible") this.retryNow();
      },
      { signal },
    );
    this.connect();
  }

  /** Send an object as JSON; false when the socket is not open. */
  send(frame) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(this.format(frame));
    return true;
  }

  /** Close and do not come back. */
  stop() {
    if (this.stopped.signal.aborted) return;
    this.end({});
    this.socket.close(1000);
  }

  connect() {
    this.timer = null;
    this.onstate("connecting", { failures: this.failures });
    const socket = new WebSocket(this.url());
    this.socket = socket;
    const hung = setTimeout(() => socket.close(), OPEN_TIMEOUT);
    let opened = 0;
    socket.onopen = async () => {
      clearTimeout(hung);
      if (this.stopped.signal.aborted) return;
      opened = Date.now();
      this.onstate("open", { failures: 0 });
      try {
        await this.onopen(this);
      } catch (error) {
        console.warn("the socket was opened in vain:", error);
        socket.close();
      }
    };
    socket.onmessage = (event) => {
      if (!this.stopped.signal.aborted) this.onmessage(this.parse(event.data));
    };
    socket.onclose = ({ code, reason }) => {
      clearTimeout(hung);
      if (this.stopped.signal.aborted) return;
      if (opened && Date.now() - opened >= STEADY_AFTER) this.failures = 0;
      const wait = Math.random() * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
      this.failures += 1;
      if (!this.again({ code, reason, failures: this.failures })) {
        this.end({ code, reason });
        return;
      }
      this.timer = setTimeout(() => this.connect(), wait);
      this.onstate("waiting", { wait, failures: this.failures, code, reason });
    };
  }

  end(detail) {
    clearTimeout(this.timer);
    this.timer = null;
    this.stopped.abort();
    this.onstate("closed", { failures: this.failures, ...detail });
  }

  /** Do not wait out the delay: the network is back, or somebody looks. */
  retryNow() {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.connect();
  }
}
