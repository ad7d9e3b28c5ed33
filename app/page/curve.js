// The loss curve of a job, for those who care: asked for only while it is open.

import { getLosses } from "./api.js";
import { figure } from "./numbers.js";
import { words } from "./words.js";

const EVERY_MS = 1_500;
const WIDTH = 300;
const HEIGHT = 120;
const LINES = ["content", "style", "total"];
const SVG = "http://www.w3.org/2000/svg";

export class Curve {
  #root;
  #job = null;
  #drawn = null;
  #next = 0;

  /** @param root a closed `details` with a figure. */
  constructor(root) {
    this.#root = root;
    root.addEventListener("toggle", () => this.#look());
  }

  /** Takes a job as it is now; null takes the curve away. */
  show(job) {
    if (job?.id !== this.#job?.id) this.#clear();
    this.#job = job;
    this.#root.hidden = job?.progress.loss == null;
    this.#look();
  }

  #clear() {
    this.#drawn = null;
    this.#next = 0;
    this.#root.querySelector("figure").replaceChildren();
  }

  async #look() {
    const job = this.#job;
    if (!this.#root.open || this.#root.hidden || performance.now() < this.#next) return;
    const state = `${job.id} ${job.progress.step} ${job.status}`;
    if (state === this.#drawn) return;
    this.#drawn = state;
    this.#next = job.status === "running" ? performance.now() + EVERY_MS : 0;
    try {
      const { points } = await getLosses(job);
      if (this.#job?.id === job.id) this.#draw(points);
    } catch {
      this.#drawn = null; // the next step, or the next opening, asks again
    }
  }

  #draw(points) {
    const lowest = Math.min(...points.flatMap((point) => LINES.map((name) => point[name] || 1)));
    const highest = Math.max(...points.map(({ total }) => total));
    const y = scale(Math.log(highest), Math.log(lowest), HEIGHT);
    const x = scale(0, points.at(-1).step || 1, WIDTH);
    const svg = drawn("svg", { viewBox: `-2 -4 ${WIDTH + 4} ${HEIGHT + 8}`, role: "img" });
    svg.setAttribute("aria-label", words.curve.told(points[0], points.at(-1), figure));
    for (const name of LINES) {
      const path = points.map((point) => `${x(point.step)},${y(Math.log(point[name] || 1))}`);
      svg.append(drawn("polyline", { class: name, points: path.join(" ") }));
    }
    this.#root.querySelector("figure").replaceChildren(svg, legend(points.at(-1)));
  }
}

function legend(last) {
  const caption = document.createElement("figcaption");
  for (const name of LINES) {
    const entry = document.createElement("span");
    entry.className = name;
    entry.textContent = `${words.curve[name]} ${figure(last[name])}`;
    caption.append(entry);
  }
  return caption;
}

function scale(from, to, length) {
  return (value) => (length * (value - from) / (to - from || 1)).toFixed(1);
}

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  return made;
}
