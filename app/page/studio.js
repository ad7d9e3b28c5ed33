// The studio: where pictures and settings are put together and handed in as a job.

import { Away, Refused, submitJob } from "./api.js";
import { Gallery } from "./gallery.js";
import { Masks } from "./masks.js";
import { Picker } from "./picker.js";
import { offerSamples } from "./samples.js";
import { Settings } from "./settings.js";
import { words } from "./words.js";

const MAX_STYLES = 8;

export class Studio {
  #form;
  #content;
  #style;
  #gallery;
  #settings;
  #masks;
  #onJob;
  #waitsForHouse = false;

  /**
   * @param form the studio's form.
   * @param onJob is told of a job that was taken, and the address of its photograph.
   */
  constructor(form, onJob) {
    this.#form = form;
    this.#onJob = onJob;
    this.#content = new Picker(form.querySelector("#content"), 1);
    offerSamples(form.querySelector(".samples"), this.#content);
    this.#gallery = new Gallery(form.querySelector(".presets"), {
      mayAdd: () => this.#style.checkRoom(),
      onChange: () => this.#style.blame(""),
    });
    const beside = () => this.#gallery.chosen;
    this.#style = new Picker(form.querySelector("#style"), MAX_STYLES, beside);
    this.#settings = new Settings(form);
    const painter = document.querySelector("#mask-painter");
    this.#masks = new Masks(form.querySelector("#masks"), painter, () => this.#pictures());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#paint();
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault(); // also beside the pickers: the browser would leave for the file
      this.#receive(event.dataTransfer.files, event.target);
    });
    document.addEventListener("paste", ({ clipboardData: { files }, target }) => {
      if (files.length) this.#receive(files, target);
    });
  }

  /** Takes the service's fields with their limits and defaults. */
  describe(fields) {
    this.#settings.build(fields);
    this.#content.limit(fields);
    this.#style.limit(fields);
  }

  /** Takes the service's styles. */
  hang(styles) {
    this.#gallery.hang(styles);
  }

  /** Takes back what was said about the service being away. */
  welcomeBack() {
    if (this.#waitsForHouse) this.#say("");
  }

  open() {
    this.#form.hidden = false;
    this.#say("");
  }

  close() {
    this.#form.hidden = true;
  }

  focus() {
    this.#content.focus();
  }

  async #paint() {
    const parts = [this.#content, this.#style, this.#settings, this.#masks];
    if (!parts.map((part) => part.check()).every(Boolean)) return this.#focusFault();
    this.#say("");
    this.#setSending(true);
    try {
      this.#onJob(await submitJob(this.#asForm()), this.#content.pictures[0].url);
    } catch (error) {
      this.#explain(error);
    } finally {
      this.#setSending(false);
    }
  }

  /** All pictures in the order in which they are handed in. */
  #pictures() {
    const own = ({ file, url }) => ({ name: file.name, url });
    const preset = (name) => ({
      name: words.styles.names[name] ?? name,
      url: `/v1/styles/${encodeURIComponent(name)}`,
    });
    const [content] = this.#content.pictures;
    const styles = [...this.#style.pictures.map(own), ...this.#gallery.chosen.map(preset)];
    return [content ? own(content) : null, ...styles];
  }

  #asForm() {
    const data = new FormData();
    this.#content.pictures.forEach(({ file }) => data.append("content", file));
    this.#style.pictures.forEach(({ file }) => data.append("style", file));
    this.#gallery.chosen.forEach((name) => data.append("style_preset", name));
    this.#settings.addTo(data);
    return data;
  }

  #explain(error) {
    if (error instanceof Refused) return this.#blame(error);
    if (!(error instanceof Away)) throw error;
    this.#say(`${error.message} ${words.stillHere}`);
    this.#waitsForHouse = !error.busy;
  }

  /** Shows why a job was refused: beside the fields that are named, and else below the button. */
  #blame({ message, errors }) {
    const pickers = { content: this.#content, style: this.#style, style_preset: this.#style };
    const placed = errors.map((error) => {
      const name = error.field.split(".")[0];
      return (pickers[name] ?? this.#settings).blame(error.message, name);
    });
    this.#say(placed.length && placed.every(Boolean) ? words.marked : message);
    this.#focusFault();
  }

  #focusFault() {
    this.#form.querySelector("[aria-invalid=true]")?.focus();
  }

  #setSending(sending) {
    const button = this.#form.querySelector("#paint");
    button.disabled = sending;
    button.textContent = sending ? words.sending : words.paint;
  }

  #say(fault) {
    this.#waitsForHouse = false;
    this.#form.querySelector("#studio-fault").textContent = fault;
  }

  /** Pictures go where they are aimed at, or else where one is missing. */
  #receive(files, target) {
    if (this.#form.hidden) return;
    const aim = target instanceof Element ? target.closest(".picker")?.id : undefined;
    const lacking = this.#content.pictures.length ? this.#style : this.#content;
    ({ content: this.#content, style: this.#style }[aim] ?? lacking).add([...files]);
  }
}
