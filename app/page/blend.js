// How much each of several styles gives: a slider for each, shown only when there are several.

import { element } from "./dom.js";
import { words } from "./words.js";

const EVEN = 50;
const STEP = 5;
const MOST = 100;

export class Blend {
  #root;
  #styles = [];
  #amounts = new Map();

  /** @param root a group with a list and a place for a fault. */
  constructor(root) {
    this.#root = root;
    root.addEventListener("input", ({ target }) => {
      this.#amounts.set(target.name, Number(target.value));
      this.#tell();
    });
  }

  /**
   * Takes the styles that are chosen, in the order in which they are sent.
   *
   * @param styles of each {id, name, url}, where `url` shows it and may be null.
   */
  show(styles) {
    this.#styles = styles;
    this.#root.hidden = styles.length < 2;
    const known = this.#amounts;
    this.#amounts = new Map(styles.map(({ id }) => [id, known.get(id) ?? EVEN]));
    this.#root.querySelector("ul").replaceChildren(...styles.map((style) => this.#item(style)));
    this.#tell();
  }

  /** Sets the sliders to weights, in the order of the styles; null sets them evenly. */
  fill(weights) {
    const most = Math.max(...(weights ?? []));
    this.#styles.forEach(({ id }, place) => {
      const amount = weights?.length === this.#styles.length ? (weights[place] / most) * MOST : EVEN;
      this.#amounts.set(id, Math.round(amount / STEP) * STEP);
    });
    this.show(this.#styles);
  }

  /** The weights, in the order of the styles; null where all give as much. */
  get weights() {
    const amounts = [...this.#amounts.values()];
    return new Set(amounts).size > 1 ? amounts : null;
  }

  /** Whether one style at least gives something; says so if none does. */
  check() {
    const none = this.#styles.length > 1 && !this.#sum;
    this.#root.querySelector(".fault").textContent = none ? words.blend.nothing : "";
    this.#root.querySelectorAll("input").forEach((input) => (input.ariaInvalid = String(none)));
    return !none;
  }

  get #sum() {
    return [...this.#amounts.values()].reduce((sum, amount) => sum + amount, 0);
  }

  #item({ id, name, url }) {
    const slider = element("input", { type: "range", name: id, min: 0, max: MOST, step: STEP });
    slider.value = this.#amounts.get(id);
    slider.ariaLabel = words.blend.share(name);
    const picture = url
      ? element("img", { src: url, alt: "" })
      : element("span", { className: "no-picture" });
    const text = element("span", { className: "name" }, name);
    return element("li", {}, picture, text, slider, element("output"));
  }

  #tell() {
    this.check();
    for (const item of this.#root.querySelectorAll("li")) {
      const slider = item.querySelector("input");
      const share = Math.round((100 * Number(slider.value)) / (this.#sum || 1));
      item.querySelector("output").textContent = `${share}%`;
      slider.ariaValueText = `${share}%`;
      slider.style.setProperty("--filled", `${slider.value}%`);
    }
  }
}
