// The painter of masks: a dialog in which regions are painted over the photograph and the styles.

import { Brush } from "./brush.js";
import { element } from "./dom.js";
import { Regions } from "./regions.js";
import { words } from "./words.js";

/** Of the regions, far from each other for the service, and for eyes of every kind. */
const COLOURS = [[0, 0, 0], [225, 87, 89], [78, 121, 167], [242, 193, 78]];

export class MaskPainter {
  #dialog;
  #brush;
  #pictures = [];
  #painted = new Map();
  #shown = null;
  #onUse;

  /** @param onUse is given the masks as PNG files, one for each picture, the photograph's first. */
  constructor(dialog, onUse) {
    this.#dialog = dialog;
    this.#onUse = onUse;
    this.#brush = new Brush(this.#find(".stage"), COLOURS, () => this.#look());
    this.#find(".colours").replaceChildren(...COLOURS.map((colour, region) => swatch(region, colour)));
    this.#find(".colours").addEventListener("change", ({ target }) => {
      this.#brush.region = Number(target.value);
    });
    const size = this.#find("[type=range]");
    size.addEventListener("input", () => (this.#brush.size = size.valueAsNumber / 100));
    this.#on(".fill", () => this.#regions.fill(this.#brush.region));
    this.#on(".clear", () => this.#regions.fill(0));
    this.#on(".undo", () => this.#regions.undo());
    this.#on(".redo", () => this.#regions.redo());
    this.#find(".use").addEventListener("click", () => this.#use());
    this.#find(".leave").addEventListener("click", () => dialog.close());
    this.#find("[role=tablist]").addEventListener("keydown", (event) => this.#turn(event));
    dialog.addEventListener("keydown", (event) => this.#takeBack(event));
  }

  /**
   * Opens with these pictures. What was painted on a picture is still there when it comes again.
   *
   * @param pictures {name, url}, the photograph first; browsers can show them.
   */
  async open(pictures) {
    this.#pictures = await Promise.all(pictures.map(loaded));
    const kept = (picture) => this.#painted.get(picture.url) ?? new Regions(picture.width, picture.height);
    this.#painted = new Map(this.#pictures.map((picture) => [picture.url, kept(picture)]));
    const tabs = this.#pictures.map((picture) => this.#tab(picture));
    this.#find("[role=tablist]").replaceChildren(...tabs);
    this.#show(this.#pictures[0]);
    this.#dialog.showModal();
  }

  get #regions() {
    return this.#painted.get(this.#shown.url);
  }

  /** Lets a button change the regions of the picture that is shown. */
  #on(selector, change) {
    this.#find(selector).addEventListener("click", () => {
      change();
      this.#brush.show();
      this.#look();
    });
  }

  #name(picture) {
    const number = this.#pictures.indexOf(picture);
    return number ? words.masks.styleNumber(number, picture.name) : words.masks.photograph;
  }

  #tab(picture) {
    const name = this.#name(picture);
    const image = element("img", { src: picture.url, alt: "" });
    const dots = element("span", { className: "dots", ariaHidden: "true" });
    const tab = element("button", { type: "button", role: "tab", title: name }, image, dots);
    tab.ariaLabel = name;
    tab.setAttribute("aria-controls", "mask-stage");
    tab.addEventListener("click", () => this.#show(picture));
    return tab;
  }

  #show(picture) {
    this.#shown = picture;
    const stage = this.#find(".stage");
    stage.style.setProperty("--ratio", picture.width / picture.height);
    stage.querySelector("img").src = picture.url;
    stage.ariaLabel = this.#name(picture);
    this.#brush.use(this.#regions);
    this.#look();
  }

  /** Arrow keys go from picture to picture (ARIA Authoring Practices, tabs). */
  #turn(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const count = this.#pictures.length;
    const next = (this.#pictures.indexOf(this.#shown) + step + count) % count;
    this.#show(this.#pictures[next]);
    this.#tabs[next].focus();
  }

  #takeBack(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    this.#find(event.shiftKey ? ".redo" : ".undo").click();
  }

  /** Shows what can be done now, and whether the masks go together. */
  #look() {
    this.#enable(".undo", this.#regions.canUndo);
    this.#enable(".redo", this.#regions.canRedo);
    this.#tabs.forEach((tab, number) => {
      const picture = this.#pictures[number];
      tab.ariaSelected = String(picture === this.#shown);
      tab.tabIndex = picture === this.#shown ? 0 : -1;
      const present = this.#painted.get(picture.url).present();
      tab.querySelector(".dots").replaceChildren(...present.map(dot));
    });
    const fault = this.#fault();
    this.#find(".verdict").textContent = fault || words.masks.ready;
    this.#enable(".use", !fault);
  }

  /** Not by `disabled`, which would take the focus away from who has just pressed it. */
  #enable(selector, able) {
    this.#find(selector).ariaDisabled = String(!able);
  }

  /** What would make the job fail, or be of no use; empty if nothing would. */
  #fault() {
    const [content, ...styles] = this.#pictures.map(({ url }) => this.#painted.get(url).present());
    const lacking = content.filter((region) => !styles.some((style) => style.includes(region)));
    if (lacking.length) return words.masks.lacking(lacking);
    if (content.length < 2 && styles.every((style) => style.length < 2)) return words.masks.single;
    return "";
  }

  async #use() {
    if (this.#fault()) return;
    const files = this.#pictures.map(({ url }, number) => asFile(this.#painted.get(url), number));
    this.#onUse(await Promise.all(files));
    this.#dialog.close();
  }

  get #tabs() {
    return [...this.#dialog.querySelectorAll("[role=tab]")];
  }

  #find(selector) {
    return this.#dialog.querySelector(selector);
  }
}

async function loaded(picture) {
  const image = element("img", { src: picture.url });
  await image.decode();
  return { ...picture, width: image.naturalWidth, height: image.naturalHeight };
}

function swatch(region, colour) {
  const radio = element("input", { type: "radio", name: "region", value: region, checked: region === 1 });
  const patch = element("span", { className: "patch" });
  if (region) patch.style.background = `rgb(${colour})`;
  return element("label", {}, radio, element("span", {}, patch, words.masks.regions[region]));
}

function dot(region) {
  const made = element("i");
  if (region) made.style.background = `rgb(${COLOURS[region]})`;
  return made;
}

/** The mask: each region in its plain colour, edge to edge. */
async function asFile(regions, number) {
  const { width, height } = regions;
  const canvas = element("canvas", { width, height });
  const image = regions.asImage(COLOURS.map((colour) => [...colour, 255]));
  canvas.getContext("2d").putImageData(image, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return new File([blob], words.masks.file(number), { type: "image/png" });
}
