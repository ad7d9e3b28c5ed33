// The shelf: jobs that are waiting or being painted while something else is looked at, and those
// that were finished meanwhile.

import { getJobs } from "./api.js";
import { element } from "./dom.js";
import { poll } from "./poll.js";
import { FINAL, inShort } from "./telling.js";
import { showIn, thumbnail } from "./thumbnail.js";
import { words } from "./words.js";

const EVERY_MS = 2_500;
const AS_MANY = 30;
const MOST = 6;

const isOver = ({ status }) => FINAL.includes(status);

export class Shelf {
  #root;
  #onJobs;
  #unseen = new Map();
  #items = new Map();
  #open = null;
  #wake = () => {};

  /**
   * @param root a section with a list.
   * @param onJobs is told of the newest jobs each time they were looked at.
   */
  constructor(root, onJobs) {
    this.#root = root;
    this.#onJobs = onJobs;
    document.addEventListener("visibilitychange", () => this.wake());
  }

  /** Looks at the jobs as long as the page is open, whenever one is there to be looked at. */
  run(onAway) {
    return poll((signal) => this.#look(signal), { every: EVERY_MS, onAway });
  }

  /** Looks again: something may have been handed in. */
  wake() {
    this.#wake();
  }

  /** Leaves out the job that is open, which is followed there; null if there is none. */
  leaveOut(id) {
    this.#open = id;
    this.#unseen.delete(id);
    this.#show();
    this.wake();
  }

  async #look(signal) {
    const woken = new Promise((resolve) => (this.#wake = resolve));
    const { jobs } = await getJobs({ limit: AS_MANY }, signal);
    this.#take(jobs);
    this.#onJobs(jobs);
    const busy = jobs.some((job) => !isOver(job) && job.id !== this.#open);
    if (!busy) await woken;
  }

  #take(jobs) {
    const there = new Map(jobs.map((job) => [job.id, job]));
    for (const id of this.#unseen.keys()) if (!there.has(id)) this.#unseen.delete(id);
    for (const job of jobs) {
      const news = !isOver(job) || this.#unseen.has(job.id);
      if (news && job.id !== this.#open && job.status !== "canceled") this.#unseen.set(job.id, job);
      else this.#unseen.delete(job.id);
    }
    this.#show();
  }

  #show() {
    const jobs = [...this.#unseen.values()].sort(byTime).slice(0, MOST);
    for (const id of this.#items.keys()) if (!this.#unseen.has(id)) this.#items.delete(id);
    const items = jobs.map((job) => this.#itemOf(job));
    const list = this.#root.querySelector("ul");
    const same = items.length === list.children.length
      && items.every((item, place) => item === list.children[place]);
    if (!same) list.replaceChildren(...items); // what has the focus keeps it
    this.#root.hidden = !items.length;
  }

  #itemOf(job) {
    if (!this.#items.has(job.id)) this.#items.set(job.id, newItem(job));
    const item = this.#items.get(job.id);
    item.dataset.status = job.status;
    item.querySelector(".state").textContent = inShort(job);
    const bar = item.querySelector("progress");
    bar.hidden = job.status !== "running";
    bar.value = job.progress.fraction;
    showIn(item.querySelector("img"), job);
    return item;
  }
}

const byTime = (one, other) => one.created_at.localeCompare(other.created_at);

function newItem({ id }) {
  const bar = element("progress", { max: 1, ariaHidden: "true" });
  const state = element("span", { className: "state" });
  const link = element("a", { href: `/?job=${id}` }, thumbnail(), state, bar);
  link.dataset.room = "";
  link.title = words.shelf.open;
  return element("li", {}, link);
}
