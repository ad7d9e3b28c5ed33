// A list of jobs with what can be done to each: cancel it, or try it again.

import { admin } from "./admin-words.js";
import { Away, cancelJob, Refused, retryJob } from "./api.js";
import { element } from "./dom.js";
import { say, show } from "./keyed.js";

const DEEDS = {
  cancel: { does: cancelJob, statuses: ["queued", "running"] },
  retry: { does: retryJob, statuses: ["failed"] },
};

export class JobList {
  #list;
  #none;
  #refresh;

  /**
   * @param list an empty list.
   * @param none is shown when there are no jobs.
   * @param refresh looks at all jobs again.
   */
  constructor(list, none, refresh) {
    this.#list = list;
    this.#none = none;
    this.#refresh = refresh;
  }

  /** Shows these jobs. */
  show(jobs) {
    this.#none.hidden = jobs.length > 0;
    show(this.#list, jobs, {
      key: ({ id }) => id,
      make: (job) => this.#item(job),
      update: (item, job) => update(item, job),
    });
  }

  #item({ id, urls }) {
    const link = element("a", { href: `/?job=${id}` }, admin.link(id));
    const state = element("span", { className: "state" });
    const buttons = Object.keys(DEEDS).map((deed) => {
      const label = `${admin[deed]}: ${admin.link(id)}`;
      const button = element("button", { type: "button", ariaLabel: label }, admin[deed]);
      button.dataset.deed = deed;
      button.addEventListener("click", () => this.#do(deed, { urls }, button));
      return button;
    });
    return element(
      "li",
      {},
      element("p", { className: "head" }, link, state),
      element("p", { className: "hint" }),
      element("p", { className: "reason" }),
      element("div", { className: "deeds" }, ...buttons),
      element("p", { className: "answer", role: "status" }),
    );
  }

  async #do(deed, job, button) {
    const answer = button.closest("li").querySelector(".answer");
    button.disabled = true;
    try {
      await DEEDS[deed].does(job);
      say(answer, admin.done[deed]);
      await this.#refresh();
    } catch (error) {
      if (!(error instanceof Away || error instanceof Refused)) throw error;
      say(answer, error.message);
    } finally {
      button.disabled = false;
    }
  }
}

function update(item, job) {
  const state = item.querySelector(".state");
  say(state, admin.states[job.status]);
  state.dataset.status = job.status;
  say(item.querySelector(".hint"), admin.job(job));
  const { error } = job;
  say(item.querySelector(".reason"), error ? `${error.title}. ${error.detail}` : "");
  for (const button of item.querySelectorAll("[data-deed]")) {
    button.hidden = !DEEDS[button.dataset.deed].statuses.includes(job.status);
  }
}
