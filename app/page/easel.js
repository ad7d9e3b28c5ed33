// One job, shown in whatever state it is: waiting, being painted, finished, failed, canceled,
// or not there at all.

import { cancelJob, explainMissing, Refused } from "./api.js";
import { compare } from "./compare.js";
import { announce, element } from "./dom.js";
import { follow } from "./follow.js";
import { howFar, madeOf, words } from "./words.js";

const FADE_MS = 500;
const REFUSALS = { 404: "unknown", 410: "gone" };

export class Easel {
  #root;
  #job = null;
  #shown = null;
  #source = null;
  #life = new AbortController();

  constructor(root) {
    this.#root = root;
    this.#find(".cancel").addEventListener("click", () => this.#cancel());
  }

  /**
   * Shows a job and follows it to its end.
   *
   * @param source address of the photograph, if known: shown until there is a preview, and
   *   beside the finished painting.
   */
  async open(id, source = null) {
    this.close();
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.#clear();
    this.#source = source;
    if (source) this.#show(source, words.alt.source);
    this.#root.hidden = false;
    const show = (job) => this.#render(job);
    const onAway = (error) => this.#say(".fault", error.message);
    try {
      await follow(id, { signal, show, onAway });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#setStatus(REFUSALS[error.status] ?? "failed");
      this.#say(".fault", error.message);
    }
  }

  focus() {
    this.#find("h2").focus();
  }

  /** Puts the job away; it is painted on without being watched. */
  close() {
    this.#life.abort();
    this.#root.hidden = true;
  }

  #clear() {
    this.#job = this.#shown = null;
    this.#find(".canvas").replaceChildren();
    this.#find(".cancel").disabled = false;
    this.#say(".cancel", words.cancel);
    for (const place of [".how-far", ".fault", ".made-of"]) this.#say(place, "");
    this.#setStatus("loading");
  }

  async #render(job) {
    this.#job = job;
    this.#setStatus(job.status);
    this.#find("progress").value = job.progress.fraction;
    if (job.status === "queued") this.#find("progress").removeAttribute("value");
    this.#say(".how-far", howFar(job));
    this.#say(".fault", job.error ? `${job.error.title}. ${job.error.detail}` : "");
    this.#say(".made-of", madeOf(job));
    this.#announce(job);
    await this.#showPicture(job);
  }

  #setStatus(status) {
    for (const part of this.#root.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(status);
    }
    this.#say("h2", words.status[status]);
    document.title = `${words.status[status]} · ${words.name}`;
  }

  #announce({ status, progress }) {
    if (status !== "running") return announce(words.status[status]);
    document.title = `${words.percent(progress.fraction)} · ${words.name}`;
    const quarter = Math.floor(progress.fraction * 4) / 4;
    announce(quarter ? words.painted(words.percent(quarter)) : words.status.running);
  }

  async #showPicture({ status, urls, result, params, progress: { preview_version: version } }) {
    this.#find(".canvas").style.setProperty("--long-side", `${params.size}px`);
    const finished = status === "succeeded";
    this.#find(".save").href = finished ? urls.result : "";
    if (finished && result.format !== "tiff") {
      const shown = await this.#show(urls.result, words.alt.result, this.#beside(this.#source));
      if (!shown) await explainMissing(urls.result);
    } else if (version) {
      this.#show(`${urls.preview}?version=${version}`, words.alt.preview);
    }
  }

  /** How a painting is framed: with its photograph, if that is at hand. */
  #beside(source) {
    if (!source) return (image) => image;
    return (image) => compare(element("img", { src: source, alt: words.alt.source }), image);
  }

  /** Fades to another picture once it is there; false if it cannot be had. */
  async #show(address, alt, frame = (image) => image) {
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
    const { naturalWidth: width, naturalHeight: height } = image;
    this.#find(".canvas").style.setProperty("--ratio", width / height);
    const before = [...this.#find(".canvas").children];
    before.forEach((old) => (old.alt = ""));
    const framed = frame(image);
    this.#find(".canvas").append(framed);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const fade = framed.animate({ opacity: [0, 1] }, { duration: calm ? 0 : FADE_MS });
    fade.finished.then(() => before.forEach((old) => old.remove()));
    return true;
  }

  async #cancel() {
    const { signal } = this.#life;
    this.#find(".cancel").disabled = true;
    this.#say(".cancel", words.canceling);
    try {
      await cancelJob(this.#job);
      if (!signal.aborted) this.focus(); // the button is about to go
    } catch (error) {
      if (signal.aborted) return;
      this.#find(".cancel").disabled = false;
      this.#say(".cancel", words.cancel);
      this.#say(".fault", error.message);
    }
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }

  #say(selector, text) {
    const place = this.#find(selector);
    if (place.textContent !== text) place.textContent = text;
  }
}
