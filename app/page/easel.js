// One job, shown in whatever state it is: waiting, being painted, finished, failed, canceled,
// or not there at all.

import { cancelJob, explainMissing, Refused, resultOf } from "./api.js";
import { Curve } from "./curve.js";
import { announce } from "./dom.js";
import { follow } from "./follow.js";
import { Frame } from "./frame.js";
import { forget, recall } from "./keepsakes.js";
import { percent } from "./numbers.js";
import { examine } from "./pictures.js";
import { howFar, madeOf } from "./telling.js";
import { setPlace } from "./title.js";
import { words } from "./words.js";

const REFUSALS = { 404: "unknown", 410: "gone" };

export class Easel {
  #root;
  #frame;
  #curve;
  #onChange;
  #job = null;
  #source = null;
  #life = new AbortController();

  /**
   * @param root where the job is shown.
   * @param onChange is told of the job whenever it has changed.
   */
  constructor(root, onChange) {
    this.#root = root;
    this.#onChange = onChange;
    this.#frame = new Frame(this.#find(".canvas"));
    this.#curve = new Curve(this.#find(".curve"));
    this.#find(".cancel").addEventListener("click", () => this.#cancel());
  }

  /** The job that is shown; null while there is none. */
  get job() {
    return this.#job;
  }

  /** The painting as it is shown; null while there is none. */
  get painting() {
    return this.#frame.painting;
  }

  /** Shows a job and follows it to its end. */
  async open(id) {
    this.close();
    this.#life = new AbortController();
    const { signal } = this.#life;
    this.#clear();
    this.#root.hidden = false;
    await this.#fetchPhotograph(id, signal);
    const show = (job) => this.#render(job);
    const onAway = (error) => this.#say(".trouble", error.message);
    try {
      await follow(id, { signal, show, onAway });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#setStatus(REFUSALS[error.status] ?? "failed");
      this.#say(".trouble", error.message);
      if (error.status in REFUSALS) forget(id);
    }
  }

  focus() {
    this.#find("h2").focus();
  }

  /** Says what is wrong. */
  blame(fault) {
    this.#say(".trouble", fault);
  }

  /** Puts the job away; it is painted on without being watched. */
  close() {
    this.#life.abort();
    this.#job = null;
    this.#root.hidden = true;
  }

  #clear() {
    this.#frame.clear();
    this.#curve.show(null);
    this.#find(".cancel").disabled = false;
    this.#say(".cancel", words.cancel);
    for (const place of [".how-far", ".trouble", ".made-of"]) this.#say(place, "");
    this.#setStatus("loading");
  }

  /** Shows the photograph, where it was kept, until there is a preview. */
  async #fetchPhotograph(id, signal) {
    if (this.#source) URL.revokeObjectURL(this.#source);
    this.#source = null;
    const kept = await recall(id);
    if (!kept) return;
    const { url } = await examine(kept.content[0], Infinity).catch(() => ({ url: null }));
    if (signal.aborted) return;
    this.#source = url;
    if (url) this.#frame.show(url, words.alt.source);
  }

  async #render(job) {
    this.#job = job;
    this.#setStatus(job.status);
    this.#find("progress").value = job.progress.fraction;
    if (job.status === "queued") this.#find("progress").removeAttribute("value");
    this.#say(".how-far", howFar(job));
    this.#say(".trouble", job.error ? `${job.error.title}. ${job.error.detail}` : "");
    this.#say(".made-of", madeOf(job));
    this.#curve.show(job);
    this.#announce(job);
    this.#onChange(job);
    await this.#showPicture(job);
  }

  #setStatus(status) {
    for (const part of this.#root.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(status);
    }
    this.#say("h2", words.status[status]);
    setPlace(words.status[status]);
  }

  #announce({ status, progress: { fraction } }) {
    if (status !== "running") return announce(words.status[status]);
    setPlace(percent(fraction));
    const quarter = Math.floor(fraction * 4) / 4;
    announce(quarter ? words.painted(quarter) : words.status.running);
  }

  async #showPicture(job) {
    const { status, urls, result, params, progress: { preview_version: version } } = job;
    this.#frame.longSide = params.size;
    const finished = status === "succeeded";
    this.#find(".save").href = finished ? resultOf(job) : "";
    if (finished && result.format !== "tiff") {
      const shown = await this.#frame.show(resultOf(job), words.alt.result, this.#source);
      if (!shown) await explainMissing(resultOf(job));
    } else if (version) {
      this.#frame.show(`${urls.preview}?version=${version}`, words.alt.preview);
    }
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
      this.blame(error.message);
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
