// The painting by its pixels: as large as it is, to be moved about, or as a whole.

import { word } from "./words.js";

/** How far a hand may shake in a click, in pixels. */
const SHAKE = 4;

export class Lens {
  #dialog;
  #pane;
  #image;

  /** @param dialog with a pane that scrolls, a picture in it, and two buttons. */
  constructor(dialog) {
    this.#dialog = dialog;
    this.#pane = dialog.querySelector(".pane");
    this.#image = dialog.querySelector("img");
    dialog.querySelector(".leave").addEventListener("click", () => dialog.close());
    dialog.querySelector(".whole").addEventListener("click", () => this.#toggle());
    dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.#pane.addEventListener("pointerdown", (event) => this.#grasp(event));
  }

  /** Opens on a picture that the page shows. */
  open({ src, alt }) {
    Object.assign(this.#image, { src, alt });
    this.#dialog.showModal();
    this.#image.decode().then(() => this.#zoom(true, 0.5, 0.5));
    this.#pane.focus();
  }

  close() {
    this.#dialog.close();
  }

  #onKey(event) {
    const onButton = event.target.closest("button");
    if (onButton || ![" ", "Enter", "z"].includes(event.key)) return;
    event.preventDefault();
    this.#toggle();
  }

  #toggle(x = 0.5, y = 0.5) {
    this.#zoom(this.#dialog.classList.contains("fits"), x, y);
  }

  /** Shows each pixel as one of the screen's around a place in it, or the whole. */
  #zoom(byPixels, x, y) {
    const ratio = devicePixelRatio;
    this.#image.style.setProperty("--width", `${this.#image.naturalWidth / ratio}px`);
    this.#dialog.classList.toggle("fits", !byPixels);
    const button = this.#dialog.querySelector(".whole");
    button.textContent = word(byPixels ? "lens.whole" : "lens.pixels");
    this.#pane.scrollTo(
      x * this.#pane.scrollWidth - this.#pane.clientWidth / 2,
      y * this.#pane.scrollHeight - this.#pane.clientHeight / 2,
    );
  }

  /** A drag moves the picture, a click zooms to where it was; fingers scroll by themselves. */
  #grasp({ button, pointerType, clientX, clientY }) {
    if (button) return;
    const { scrollLeft, scrollTop } = this.#pane;
    let moved = false;
    const over = new AbortController();
    const onMove = (now) => {
      const [right, down] = [now.clientX - clientX, now.clientY - clientY];
      moved ||= Math.hypot(right, down) > SHAKE;
      if (moved && pointerType === "mouse") {
        this.#pane.scrollTo(scrollLeft - right, scrollTop - down);
      }
    };
    const release = () => {
      over.abort();
      const box = this.#image.getBoundingClientRect();
      const [x, y] = [(clientX - box.x) / box.width, (clientY - box.y) / box.height];
      if (!moved) this.#toggle(Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y)));
    };
    const until = { signal: over.signal };
    addEventListener("pointermove", onMove, until);
    addEventListener("pointerup", release, until);
    addEventListener("pointercancel", () => over.abort(), until);
  }
}
