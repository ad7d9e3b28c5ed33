// Following a job to its end: by its stream of events while that works, and while it does not by
// asking again and again.

import { getJob } from "./api.js";
import { poll } from "./poll.js";

const EVERY_MS = 700;
const FINAL = ["succeeded", "failed", "canceled"];

/** A stream begins with the job as it is; where not even that comes, something holds it back. */
const FIRST_WORD_MS = 4_000;

/** Scripts do not see heartbeats, so a stream that is silent for so long may be dead. */
const SILENCE_MS = 45_000;

/** Browsers open few connections at a time: none is kept for a tab that nobody looks at. */
const HIDDEN_MS = 60_000;

const LONGEST_REST_MS = 120_000;

/**
 * Shows a job whenever it changes, until it has ended or the signal is aborted.
 *
 * @param show shows a job as it is now; an Away that it throws leads to another try.
 * @param onAway is told of each Away.
 * @throws Refused
 */
export async function follow(id, { signal, show, onAway }) {
  const stream = new Stream(show, signal);
  const look = async () => {
    const job = await getJob(id, signal);
    if (!signal.aborted) await show(job);
    return FINAL.includes(job.status) || stream.follow(job);
  };
  await poll(look, { every: EVERY_MS, signal, onAway });
}

/** Streams of a job, one after the other; they rest ever longer while nothing comes of them. */
class Stream {
  #show;
  #signal;
  #failures = 0;
  #restsUntil = 0;

  constructor(show, signal) {
    this.#show = show;
    this.#signal = signal;
  }

  /** Reads a stream if one is worth a try; whether it led to the end of the job. */
  async follow(job) {
    if (this.#signal.aborted || document.hidden) return false;
    if (performance.now() < this.#restsUntil) return false;
    const reading = new Reading(job, this.#show, this.#signal);
    const ended = await reading.over;
    this.#failures = reading.heard ? 0 : this.#failures + 1;
    const rest = this.#failures && Math.min(1000 * 2 ** this.#failures, LONGEST_REST_MS);
    this.#restsUntil = performance.now() + rest;
    return ended;
  }
}

/** One stream: `heard` is whether anything came, `over` resolves to whether the job has ended. */
class Reading {
  heard = false;
  #job;
  #show;
  #signal;
  #over = Promise.withResolvers();
  #silence;
  #hidden;
  #begun; // the job as it is once its painting has begun, which is asked for once

  constructor(job, show, signal) {
    this.#job = job;
    this.#show = show;
    this.#signal = signal;
    this.#silence = setTimeout(this.#giveUp, FIRST_WORD_MS);
    const source = this.#open(job.urls.events);
    document.addEventListener("visibilitychange", this.#onVisibility);
    signal.addEventListener("abort", this.#giveUp);
    this.over = this.#over.promise.finally(() => this.#close(source));
  }

  #giveUp = () => this.#over.resolve(false);

  #onVisibility = () => {
    clearTimeout(this.#hidden);
    if (document.hidden) this.#hidden = setTimeout(this.#giveUp, HIDDEN_MS);
  };

  #open(address) {
    const source = new EventSource(address);
    const on = (name, act) =>
      source.addEventListener(name, ({ data }) => {
        this.#hear();
        act(JSON.parse(data))?.catch(this.#over.reject);
      });
    on("status", (now) => this.#onStatus(now));
    on("progress", (progress) => this.#onProgress(progress));
    on("preview", ({ version }) =>
      this.#tell({ progress: { ...this.#job.progress, preview_version: version } }),
    );
    on("done", (job) => this.#onDone(job));
    source.addEventListener("error", this.#giveUp); // why, the next look will tell
    return source;
  }

  #close(source) {
    source.close();
    clearTimeout(this.#silence);
    clearTimeout(this.#hidden);
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#signal.removeEventListener("abort", this.#giveUp);
  }

  #hear() {
    this.heard = true;
    clearTimeout(this.#silence);
    this.#silence = setTimeout(this.#giveUp, SILENCE_MS);
  }

  #tell(change) {
    if (this.#signal.aborted) return null;
    this.#job = { ...this.#job, ...change };
    return this.#show(this.#job);
  }

  async #onStatus(now) {
    if (!FINAL.includes(now.status)) await this.#tell(now); // else `done` says all of it
  }

  async #onProgress(progress) {
    await this.#tell({ progress });
    if (this.#job.features || !progress.step) return;
    this.#begun ??= getJob(this.#job.id, this.#signal);
    const { features } = await this.#begun; // known before the first step
    await this.#tell({ features });
  }

  async #onDone(job) {
    if (!job) return this.#giveUp(); // it was deleted
    await this.#tell(job);
    this.#over.resolve(true);
  }
}
