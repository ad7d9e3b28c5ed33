// A place for pictures: choose, drop or paste them, see them, take them away again.

import { element } from "./dom.js";
import { ACCEPTED, examine, maxBytesOf, NotTaken } from "./pictures.js";
import { words } from "./words.js";

export class Picker {
  pictures = [];
  #root;
  #input;
  #words;
  #max;
  #maxBytes = maxBytesOf(null);
  #beside;
  #onChange;

  /**
   * @param root a section with a list, labels around file inputs, and a place for faults.
   * @param max how many pictures it holds; where that is one, a new one replaces it.
   * @param beside gives what else is chosen, and counts as a picture here.
   * @param onChange is told when pictures have come or gone.
   */
  constructor(root, { max, beside = () => [], onChange }) {
    this.#root = root;
    this.#max = max;
    this.#beside = beside;
    this.#onChange = onChange;
    this.#words = words[root.id];
    const inputs = [...root.querySelectorAll("input[type=file]")];
    [this.#input] = inputs;
    this.#input.accept = ACCEPTED;
    for (const input of inputs) {
      input.addEventListener("change", () => {
        const chosen = [...input.files];
        input.value = ""; // so that the same file can be chosen again
        this.add(chosen);
      });
    }
    root.addEventListener("dragover", () => root.classList.add("over"));
    root.addEventListener("dragleave", () => root.classList.remove("over"));
    root.addEventListener("drop", () => root.classList.remove("over"));
    this.#show();
  }

  /** Takes the service's limits in place of the page's own. */
  limit(fields) {
    this.#maxBytes = maxBytesOf(fields);
    if (this.#max > 1) this.#max = fields.style.maxItems ?? this.#max;
    this.#show();
  }

  /** Adds files, as far as they are pictures and there is room; says what was not taken. */
  async add(files) {
    const faults = files.length ? [] : [words.refused.nothing];
    const taken = [];
    for (const file of files) {
      try {
        taken.push(await examine(file, this.#maxBytes));
      } catch (error) {
        if (!(error instanceof NotTaken)) throw error;
        faults.push(error.message);
      }
    }
    if (this.#max === 1 && taken.length) this.#drop(...this.pictures);
    const room = this.#max - this.#count;
    if (taken.length > room) faults.push(this.#words.full(this.#max));
    this.pictures.push(...taken.splice(0, room));
    this.#drop(...taken);
    this.#show();
    this.blame(faults.join(" "));
    this.#onChange();
  }

  /** Puts other pictures in place of what is there. */
  async replace(files) {
    this.#drop(...this.pictures);
    this.#show();
    this.blame("");
    this.#onChange();
    if (files.length) await this.add(files);
  }

  /** The files, in their order. */
  get files() {
    return this.pictures.map(({ file }) => file);
  }

  /** The pictures, as a blend shows them. */
  get shown() {
    return this.pictures.map(({ id, file: { name }, url }) => ({ id, name, url }));
  }

  /** Whether there is a picture; says so if there is none. */
  check() {
    this.blame(this.#count ? "" : this.#words.missing);
    return this.#count > 0;
  }

  /** Whether one more may be chosen beside; says so if not. */
  checkRoom() {
    const room = this.#count < this.#max;
    this.blame(room ? "" : this.#words.full(this.#max));
    return room;
  }

  /** Shows what is wrong here, or with an empty text that nothing is; true as it has a place. */
  blame(fault) {
    this.#root.querySelector(".fault").textContent = fault;
    this.#input.setAttribute("aria-invalid", fault !== "");
    return true;
  }

  focus() {
    this.#input.focus();
  }

  get #count() {
    return this.pictures.length + this.#beside().length;
  }

  #drop(...gone) {
    this.pictures = this.pictures.filter((picture) => !gone.includes(picture));
    gone.forEach((picture) => URL.revokeObjectURL(picture.url));
  }

  #remove(picture) {
    this.#drop(picture);
    this.#show();
    this.blame("");
    this.focus();
    this.#onChange();
  }

  #show() {
    const some = this.pictures.length > 0;
    this.#root.classList.toggle("chosen", some);
    this.#root.querySelector(".act").textContent = some ? this.#words.further : this.#words.choose;
    this.#root.querySelector(".hint").textContent = this.#words.hint(this.#max, this.#maxBytes);
    const items = this.pictures.map((picture) => this.#item(picture));
    this.#root.querySelector(".pictures").replaceChildren(...items);
  }

  #item(picture) {
    const { name } = picture.file;
    const remove = element("button", { type: "button", textContent: "×" });
    remove.ariaLabel = remove.title = words.remove(name);
    remove.addEventListener("click", () => this.#remove(picture));
    const shown = picture.url
      ? element("img", { src: picture.url, alt: name })
      : element("span", { textContent: `${name} (${words.withoutThumbnail})` });
    return element("li", {}, shown, remove);
  }
}
