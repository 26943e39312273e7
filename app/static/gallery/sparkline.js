/** A small live chart: the last samples as a line, from 0 to a little above the highest. */

const SAMPLES = 40;
const WIDTH = 120; // of the viewBox; the stroke does not scale with it
const HEIGHT = 32;
const ROOM_ABOVE = 1.2;

export class Sparkline {
  /**
   * @param {SVGElement} svg - holds path.area, path.line and path.last
   * @param {string} name - what is measured, for those who cannot see the line
   */
  constructor(svg, name) {
    this.svg = svg;
    this.name = name;
    this.samples = [];
  }

  /** Add a sample in milliseconds and draw. */
  add(value) {
    this.samples = [...this.samples, value].slice(-SAMPLES);
    const top = Math.max(...this.samples) * ROOM_ABOVE || 1;
    const step = WIDTH / (SAMPLES - 1);
    const left = WIDTH - (this.samples.length - 1) * step;
    const points = this.samples.map((sample, n) => {
      const y = HEIGHT - (sample / top) * HEIGHT;
      return `${(left + n * step).toFixed(1)} ${y.toFixed(1)}`;
    });
    const line = `M${points.join("L")}`;
    this.draw("line", line);
    this.draw("area", `${line}V${HEIGHT}H${left.toFixed(1)}Z`);
    this.draw("last", `M${points.at(-1)}h0`); // a round cap: a dot that keeps its shape
    const [low, high] = [Math.min(...this.samples), Math.max(...this.samples)].map(duration);
    const count = `${this.samples.length} sample${this.samples.length > 1 ? "s" : ""}`;
    this.svg.setAttribute("aria-label", `${this.name}: last ${duration(value)}, ${low} to ${high} in ${count}`);
  }

  draw(part, d) {
    this.svg.querySelector(`.${part}`).setAttribute("d", d);
  }
}

/** Say milliseconds as people would. */
export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 2000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return `${Math.round(ms / 60_000)} min`;
}
