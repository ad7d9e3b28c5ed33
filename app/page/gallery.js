// The styles that come with Atelier, to choose from: several, in an order.

import { element } from "./dom.js";
import { words } from "./words.js";

export class Gallery {
  /** The names of those that are chosen, in the order in which they were. */
  chosen = [];
  #root;
  #buttons = new Map();
  #thumbnails = new Map();
  #mayAdd;
  #onChange;

  /**
   * @param root an empty list.
   * @param mayAdd is asked before another one is chosen; where it says no, it says why.
   * @param onChange is told when something was chosen or taken back.
   */
  constructor(root, { mayAdd, onChange }) {
    this.#root = root;
    this.#mayAdd = mayAdd;
    this.#onChange = onChange;
    root.ariaLabel = words.styles.title;
  }

  /** Takes the service's styles. */
  hang(styles) {
    this.#thumbnails = new Map(styles.map(({ name, urls }) => [name, urls.thumbnail]));
    this.#buttons = new Map(styles.map((style) => [style.name, this.#button(style)]));
    const items = [...this.#buttons.values()].map((button) => element("li", {}, button));
    this.#root.replaceChildren(...items);
    this.choose(this.chosen);
  }

  /** Has these chosen, as far as there are such, and no others. */
  choose(names) {
    const isThere = (name) => !this.#buttons.size || this.#buttons.has(name);
    this.chosen = names.filter(isThere);
    this.#mark();
    this.#onChange();
  }

  /** Those that are chosen, as a blend shows them. */
  get shown() {
    return this.chosen.map((name) => ({
      id: name,
      name: words.styles.names[name] ?? name,
      url: this.#thumbnails.get(name) ?? null,
    }));
  }

  #button({ name, description, urls }) {
    const image = element("img", { src: urls.thumbnail, alt: "" });
    const label = element("span", {}, words.styles.names[name] ?? name);
    const button = element("button", { type: "button", title: description }, image, label);
    button.addEventListener("click", () => this.#toggle(name));
    return button;
  }

  #toggle(name) {
    if (this.chosen.includes(name)) this.chosen = this.chosen.filter((other) => other !== name);
    else if (this.#mayAdd()) this.chosen = [...this.chosen, name];
    else return;
    this.#mark();
    this.#onChange();
  }

  #mark() {
    const several = this.chosen.length > 1;
    for (const [name, button] of this.#buttons) {
      const place = this.chosen.indexOf(name) + 1;
      button.ariaPressed = String(place > 0);
      button.dataset.mark = several && place ? place : "✓";
    }
  }
}
