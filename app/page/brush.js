// A brush on a canvas: mouse, pen or finger paints regions over a picture.

import { element } from "./dom.js";

/** How much of the picture is seen through a region. */
const OPACITY = 160;

export class Brush {
  region = 1;
  /** Radius relative to the long side of the picture. */
  size = 0.04;
  #stage;
  #canvas;
  #ring = element("span", { className: "ring", ariaHidden: "true", hidden: true });
  #regions = null;
  #colours;
  #onDeed;
  #last = null;
  #pointer = null;
  #frame = null;

  /**
   * @param stage holds the picture; the canvas is laid over it.
   * @param colours of the regions, as [red, green, blue]; the first one is not shown.
   * @param onDeed is told when something was painted.
   */
  constructor(stage, colours, onDeed) {
    this.#stage = stage;
    this.#colours = colours.map((colour, region) => [...colour, region ? OPACITY : 0]);
    this.#onDeed = onDeed;
    this.#canvas = element("canvas", { ariaHidden: "true" });
    stage.append(this.#canvas, this.#ring);
    const on = (kind, act) => this.#canvas.addEventListener(kind, (event) => act(event));
    on("pointerdown", (event) => this.#begin(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#end(event));
    on("pointercancel", (event) => this.#end(event));
    on("pointerleave", () => (this.#ring.hidden = true));
  }

  /** Takes the regions of another picture. */
  use(regions) {
    this.#regions = regions;
    this.#canvas.width = regions.width;
    this.#canvas.height = regions.height;
    this.show();
  }

  /** Shows the regions as they are. */
  show() {
    this.#canvas.getContext("2d").putImageData(this.#regions.asImage(this.#colours), 0, 0);
  }

  #begin(event) {
    if (this.#pointer !== null || event.button !== 0) return; // a second finger, another button
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#regions.begin();
    this.#last = null;
    this.#paint([event]);
  }

  #move(event) {
    this.#showRing(event);
    if (event.pointerId !== this.#pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    this.#paint(between.length ? between : [event]);
  }

  #end(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#regions.end();
    this.#onDeed();
  }

  #paint(events) {
    const radius = this.size * Math.max(this.#regions.width, this.#regions.height);
    for (const event of events) {
      const point = this.#point(event);
      this.#regions.line(this.#last ?? point, point, radius, this.region);
      this.#last = point;
    }
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.show();
    });
  }

  /** Where an event is, in pixels of the regions. */
  #point({ clientX, clientY }) {
    const box = this.#canvas.getBoundingClientRect();
    return [
      ((clientX - box.left) * this.#regions.width) / box.width,
      ((clientY - box.top) * this.#regions.height) / box.height,
    ];
  }

  #showRing({ clientX, clientY, pointerType }) {
    this.#ring.hidden = pointerType === "touch";
    const box = this.#canvas.getBoundingClientRect();
    const stage = this.#stage.getBoundingClientRect();
    const diameter = 2 * this.size * Math.max(box.width, box.height);
    Object.assign(this.#ring.style, {
      width: `${diameter}px`,
      height: `${diameter}px`,
      left: `${clientX - stage.left - diameter / 2}px`,
      top: `${clientY - stage.top - diameter / 2}px`,
    });
  }
}
