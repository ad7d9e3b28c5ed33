// One's paintings, newest first: to find one again, to see how it went, to have it forgotten.

import { Away, getJobs } from "./api.js";
import { deleteForGood } from "./deeds.js";
import { announce, element } from "./dom.js";
import { moment } from "./numbers.js";
import { inShort } from "./telling.js";
import { showIn, thumbnail } from "./thumbnail.js";
import { setPlace } from "./title.js";
import { words } from "./words.js";

const AT_A_TIME = 24;

export class Paintings {
  #root;
  #jobs = new Map();
  #items = new Map();
  #status = "";
  #cursor = null;
  #life = new AbortController();

  /** @param root with a group of choices, a list, places for words, and a button for more. */
  constructor(root) {
    this.#root = root;
    this.#find(".choices").replaceChildren(...Object.entries(words.paintings.filter).map(choice));
    this.#find(".choices").addEventListener("change", ({ target }) => {
      this.#status = target.value;
      this.#begin();
    });
    this.#find(".more").addEventListener("click", () => this.#fetch());
  }

  open() {
    this.#root.hidden = false;
    setPlace(words.paintings.title);
    return this.#begin();
  }

  focus() {
    this.#find("h2").focus();
  }

  close() {
    this.#life.abort();
    this.#root.hidden = true;
  }

  /** Takes jobs as they are now, as far as they are shown here. */
  update(jobs) {
    if (this.#root.hidden) return;
    for (const job of jobs) if (this.#jobs.has(job.id)) this.#show(job);
  }

  #begin() {
    this.#life.abort();
    this.#life = new AbortController();
    this.#jobs.clear();
    this.#items.clear();
    this.#cursor = null;
    return this.#fetch();
  }

  async #fetch() {
    const { signal } = this.#life;
    const asked = { limit: AT_A_TIME, status: this.#status, cursor: this.#cursor };
    try {
      const page = await getJobs(asked, signal);
      if (signal.aborted) return;
      const first = !this.#cursor;
      this.#cursor = page.next_cursor;
      page.jobs.forEach((job) => this.#show(job));
      this.#hang();
      if (!first) this.#items.get(page.jobs[0]?.id)?.querySelector("a").focus();
      this.#say("");
    } catch (error) {
      if (signal.aborted) return;
      this.#say(error.message);
      if (error instanceof Away) setTimeout(() => signal.aborted || this.#fetch(), 3_000);
    }
  }

  #hang() {
    this.#find("ul").replaceChildren(...this.#items.values());
    this.#find(".more").hidden = !this.#cursor;
    const none = this.#status ? words.paintings.noneSuch : words.paintings.none;
    this.#find(".none").textContent = this.#items.size ? "" : none;
  }

  #show(job) {
    this.#jobs.set(job.id, job);
    if (!this.#items.has(job.id)) this.#items.set(job.id, this.#newItem(job));
    const item = this.#items.get(job.id);
    item.dataset.status = job.status;
    item.querySelector(".state").textContent = inShort(job);
    showIn(item.querySelector("img"), job);
  }

  #newItem(job) {
    const when = element("time", { dateTime: job.created_at }, moment(job.created_at));
    const state = element("span", { className: "state" });
    const link = element("a", { href: `/?job=${job.id}` }, thumbnail(), state, when);
    link.dataset.room = "";
    const remove = element("button", { type: "button" }, "×");
    remove.ariaLabel = remove.title = words.paintings.delete(moment(job.created_at));
    remove.addEventListener("click", () => this.#delete(job));
    return element("li", {}, link, remove);
  }

  async #delete(job) {
    try {
      if (await deleteForGood(job)) this.#takeDown(job);
    } catch (error) {
      this.#say(error.message);
      announce(error.message);
    }
  }

  #takeDown({ id }) {
    const item = this.#items.get(id);
    const next = item.nextElementSibling ?? item.previousElementSibling;
    this.#jobs.delete(id);
    this.#items.delete(id);
    this.#hang();
    if (next) next.querySelector("a").focus();
    else this.focus();
  }

  #say(fault) {
    this.#find(".fault").textContent = fault;
  }

  #find(selector) {
    return this.#root.querySelector(selector);
  }
}

function choice([value, text]) {
  const radio = element("input", { type: "radio", name: "status", value, checked: value === "" });
  return element("label", {}, radio, element("span", {}, text));
}
