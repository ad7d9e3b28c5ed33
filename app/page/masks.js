// The masks of a job: files of one's own, or painted here; shown small, and to be taken away again.

import { element } from "./dom.js";
import { MaskPainter } from "./mask-painter.js";
import { words } from "./words.js";

export class Masks {
  #root;
  #pictures;
  #inputs;
  #paintedFor = null;

  /**
   * @param root the part of the form that has the file inputs.
   * @param dialog in which masks are painted.
   * @param pictures gives {name, url} of each picture, the photograph's or null first, in the order
   *   in which they are handed in; url is null where browsers cannot show one.
   */
  constructor(root, dialog, pictures) {
    this.#root = root;
    this.#pictures = pictures;
    this.#inputs = [...root.querySelectorAll("input[type=file]")];
    const painter = new MaskPainter(dialog, (files) => this.#take(files));
    for (const input of this.#inputs) {
      input.addEventListener("change", () => {
        this.#paintedFor = null; // a file of one's own is the service's to check
        this.#show();
      });
    }
    this.#find(".paint-masks").addEventListener("click", () => this.#paint(painter));
    this.#find(".remove-masks").addEventListener("click", () => this.#remove());
    this.#show();
  }

  /** Whether the masks that were painted are those of the pictures that are chosen now. */
  check() {
    const well = this.#paintedFor === null || this.#paintedFor === this.#names();
    if (!well) this.#root.closest("details").open = true;
    this.#say(well ? "" : words.masks.changed);
    this.#find(".paint-masks").setAttribute("aria-invalid", String(!well));
    return well;
  }

  async #paint(painter) {
    const [content, ...styles] = this.#pictures();
    this.#say("");
    if (!content || !styles.length) return this.#say(words.masks.nothingYet);
    if ([content, ...styles].some(({ url }) => !url)) return this.#say(words.masks.notShown);
    try {
      await painter.open([content, ...styles]);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // of a picture that cannot be decoded
      this.#say(words.masks.unreadable);
    }
  }

  /** Puts painted masks where chosen files would be: from there on they are the same. */
  #take([content, ...styles]) {
    [[content], styles].forEach((files, number) => {
      const data = new DataTransfer();
      files.forEach((file) => data.items.add(file));
      this.#inputs[number].files = data.files;
    });
    this.#paintedFor = this.#names();
    this.check();
    this.#show();
  }

  #remove() {
    for (const input of this.#inputs) input.value = "";
    this.#paintedFor = null;
    this.check();
    this.#show();
    this.#find(".paint-masks").focus();
  }

  #show() {
    const list = this.#find(".mask-list");
    for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    const [content, styles] = this.#inputs.map((input) => [...input.files]);
    const items = [
      ...content.map((file) => item(file, words.masks.content)),
      ...styles.map((file, number) => item(file, words.masks.styleMask(number + 1))),
    ];
    list.replaceChildren(...items);
    this.#find(".remove-masks").hidden = !items.length;
    this.#find(".paint-masks").textContent = items.length ? words.masks.again : words.masks.paint;
  }

  /** What the pictures are, in their order. */
  #names() {
    return this.#pictures().map((picture) => picture?.url).join(" ");
  }

  #say(fault) {
    this.#find("#masks-fault").textContent = fault;
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }
}

function item(file, name) {
  const image = element("img", { src: URL.createObjectURL(file), alt: name });
  image.addEventListener("error", () => image.replaceWith(name)); // such as TIFF
  return element("li", {}, image);
}
