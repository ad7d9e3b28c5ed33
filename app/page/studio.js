// The studio: where pictures and settings are put together and handed in as a job.

import { Away, Refused, submitJob } from "./api.js";
import { Blend } from "./blend.js";
import { Gallery } from "./gallery.js";
import { keep, recall, STUDIO } from "./keepsakes.js";
import { Masks } from "./masks.js";
import { Picker } from "./picker.js";
import { onPictures } from "./reception.js";
import { offerSamples } from "./samples.js";
import { Settings } from "./settings.js";
import { words } from "./words.js";

const MAX_STYLES = 8;
const REMEMBER_MS = 400;

export class Studio {
  #form;
  #content;
  #style;
  #gallery;
  #blend;
  #settings;
  #masks;
  #onJob;
  #waitsForHouse = false;
  #remembering;

  /**
   * @param form the studio's form.
   * @param onJob is told of a job that was taken.
   */
  constructor(form, onJob) {
    this.#form = form;
    this.#onJob = onJob;
    this.#settings = new Settings(form);
    this.#blend = new Blend(form.querySelector("#blend"));
    this.#content = new Picker(form.querySelector("#content"), {
      max: 1,
      onChange: () => this.#remember(),
    });
    offerSamples(form.querySelector(".samples"), this.#content);
    this.#gallery = new Gallery(form.querySelector(".presets"), {
      mayAdd: () => this.#style.checkRoom(),
      onChange: () => this.#onStyles(),
    });
    this.#style = new Picker(form.querySelector("#style"), {
      max: MAX_STYLES,
      beside: () => this.#gallery.chosen,
      onChange: () => this.#showBlend(),
    });
    const painter = document.querySelector("#mask-painter");
    this.#masks = new Masks(form.querySelector("#masks"), painter, () => this.#pictures());
    this.#listen();
    this.#takeUp();
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
    this.#form.querySelector("#studio-note").textContent = "";
  }

  focus() {
    this.#content.focus();
  }

  /** Lays out what a job was made of, as far as its pictures were kept here; else says so. */
  async layOut({ id, params }) {
    const kept = await recall(id);
    if (kept) await this.#put(kept);
    this.#settings.fill(params);
    this.#blend.fill(params.style_weights);
    this.#note(kept ? words.laidOut.all : words.laidOut.settings);
    this.#remember();
  }

  /** Takes a picture as the photograph. */
  async take(file) {
    await this.#content.replace([file]);
    this.#note(words.laidOut.content);
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#paint();
    });
    for (const kind of ["change", "input"]) {
      this.#form.addEventListener(kind, () => this.#remember());
    }
    this.#form.querySelector("#as-usual").addEventListener("click", () => {
      this.#settings.fill({});
      this.#blend.fill(null);
      this.#remember();
    });
    onPictures((files, target) => this.#receive(files, target));
  }

  /** Begins where somebody left off, here or in a tab that was closed. */
  async #takeUp() {
    const left = await recall(STUDIO);
    if (!left || this.#content.pictures.length) return;
    await this.#put(left);
    this.#settings.fill(left.params);
    this.#blend.fill(left.weights);
  }

  async #put({ content, styles, presets, masks }) {
    this.#gallery.choose([]);
    await Promise.all([this.#content.replace(content), this.#style.replace(styles)]);
    this.#gallery.choose(presets);
    this.#settings.files = masks;
  }

  get #work() {
    return {
      content: this.#content.files,
      styles: this.#style.files,
      presets: this.#gallery.chosen,
      masks: this.#settings.files,
      params: this.#settings.values,
      weights: this.#blend.weights,
    };
  }

  #remember() {
    clearTimeout(this.#remembering);
    this.#remembering = setTimeout(() => keep(STUDIO, this.#work), REMEMBER_MS);
  }

  #onStyles() {
    this.#style?.blame("");
    this.#showBlend();
  }

  #showBlend() {
    this.#blend.show([...(this.#style?.shown ?? []), ...this.#gallery.shown]);
    this.#remember();
  }

  async #paint() {
    const parts = [this.#content, this.#style, this.#blend, this.#settings, this.#masks];
    if (!parts.map((part) => part.check()).every(Boolean)) return this.#focusFault();
    this.#say("");
    this.#setSending(true);
    try {
      const work = this.#work;
      const job = await submitJob(this.#asForm());
      keep(job.id, work);
      this.#onJob(job);
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
    this.#content.files.forEach((file) => data.append("content", file));
    this.#style.files.forEach((file) => data.append("style", file));
    this.#gallery.chosen.forEach((name) => data.append("style_preset", name));
    if (this.#blend.weights) data.append("style_weights", this.#blend.weights.join());
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

  #note(news) {
    this.#form.querySelector("#studio-note").textContent = news;
  }

  /** Pictures go where they are aimed at, or else where one is missing. */
  #receive(files, target) {
    if (this.#form.hidden) return;
    const aim = target instanceof Element ? target.closest(".picker")?.id : undefined;
    const lacking = this.#content.pictures.length ? this.#style : this.#content;
    ({ content: this.#content, style: this.#style }[aim] ?? lacking).add(files);
  }
}
