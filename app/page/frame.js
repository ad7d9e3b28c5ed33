// The frame that a painting hangs in: pictures fade into one another, and the finished one may be
// compared with its photograph.

import { compare } from "./compare.js";
import { element } from "./dom.js";
import { words } from "./words.js";

const FADE_MS = 500;

export class Frame {
  #root;
  #shown = null;

  constructor(root) {
    this.#root = root;
  }

  /** Takes all pictures away. */
  clear() {
    this.#shown = null;
    this.#root.replaceChildren();
  }

  /** How long the long side of the painting is, in pixels: it is not shown much larger. */
  set longSide(pixels) {
    this.#root.style.setProperty("--long-side", `${pixels}px`);
  }

  /** The painting as it is shown; null while there is none. */
  get painting() {
    return this.#root.querySelector(":scope > img:last-child, [slot=second]");
  }

  /**
   * Fades to another picture once it is there; false if it cannot be had.
   *
   * @param source address of the photograph to compare it with, if it is to be.
   */
  async show(address, alt, source = null) {
    if (address === this.#shown) return true;
    this.#shown = address;
    const image = element("img", { src: address, alt });
    try {
      await image.decode();
    } catch {
      if (this.#shown === address) this.#shown = null;
      return false;
    }
    if (this.#shown !== address) return true; // a newer one was faster
    this.#root.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    this.#fadeTo(source ? compare(photograph(source), image) : image);
    return true;
  }

  #fadeTo(framed) {
    const before = [...this.#root.children];
    before.forEach((old) => (old.alt = ""));
    this.#root.append(framed);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const fade = framed.animate({ opacity: [0, 1] }, { duration: calm ? 0 : FADE_MS });
    fade.finished.then(() => before.forEach((old) => old.remove()));
  }
}

function photograph(source) {
  return element("img", { src: source, alt: words.alt.source });
}
