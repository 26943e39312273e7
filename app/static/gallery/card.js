/** What all cards share: state, worker, measured time, last words, and the two buttons. */

import { duration, Sparkline } from "./sparkline.js";

const RECENT = 2500; // ms; an event older than that has its age shown

export class Card {
  /**
   * @param {HTMLElement} root
   * @param {(card: Card) => {stop: () => void, send?: (text: string) => void}} connect - of its kind
   */
  constructor(root, connect) {
    this.root = root;
    this.data = root.dataset;
    this.connect = connect;
    this.connection = null;
    this.eventAt = null; // performance.now() of the last event
    this.chart = new Sparkline(this.find(".spark"), this.data.measure);
    this.toggle = this.find("[data-toggle]");
    this.toggle.addEventListener("click", () => (this.connection ? this.stop() : this.start()));
    this.find("form")?.addEventListener("submit", (event) => this.submit(event));
    this.show("closed", "not started");
  }

  find(selector) {
    return this.root.querySelector(selector);
  }

  /** Write `text` where the card has a place of this class. */
  write(className, text) {
    const place = this.find(`.${className}`);
    if (place && place.textContent !== text) place.textContent = text;
  }

  start() {
    this.write("why", "");
    this.heldBy("");
    this.eventAt = null;
    this.connection = this.connect(this);
    this.label();
  }

  stop(text = "stopped") {
    this.connection?.stop();
    this.heldBy("");
    this.ended("closed", text);
  }

  /** The connection is over and does not come back by itself. */
  ended(state, text, why = "") {
    this.connection = null;
    this.show(state, text);
    this.write("why", why);
    this.label();
  }

  /** Show a state: connecting, open, waiting, closed or refused. */
  show(state, text = state) {
    this.data.state = state;
    this.write("state", text);
    if (state === "waiting") this.heldBy("");
    const form = this.find("form");
    if (form) form.querySelector("button").disabled = state !== "open";
  }

  /** Name the worker that holds the connection; only some styles can tell. */
  heldBy(worker) {
    if (worker) this.data.worker = worker;
    else delete this.data.worker;
    this.write("worker", worker ? `on ${worker}` : "");
  }

  measured(ms) {
    this.write("figure", duration(ms));
    this.chart.add(ms);
  }

  /** Something was pushed: measure the time since the push before. */
  pushed() {
    const now = performance.now();
    if (this.eventAt !== null) this.measured(now - this.eventAt);
    this.eventAt = now;
    this.age();
  }

  /** Called every second: say how long ago the last event was. */
  age() {
    if (this.eventAt === null) return;
    const age = performance.now() - this.eventAt;
    this.write("unit", age < RECENT ? this.data.measure : `last event ${duration(age)} ago`);
  }

  said(text) {
    this.write("said", text);
  }

  submit(event) {
    event.preventDefault();
    const field = this.find("form input[type=text]");
    const text = field ? field.value.trim() : this.data.ask;
    if (!text) return;
    this.connection?.send?.(text);
    if (field) field.value = "";
  }

  label() {
    this.toggle.querySelector(".verb").textContent = this.connection ? "Stop" : this.data.start;
  }
}
