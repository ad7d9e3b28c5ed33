// Says that a job has come to its end, to those who look elsewhere: in the title of the page, and,
// where somebody asked for it, by a notification.

import { announce } from "./dom.js";
import { FINAL } from "./telling.js";
import { setNews } from "./title.js";
import { words } from "./words.js";

const WANTED = "atelier.bell";

export class Bell {
  #statuses = new Map();
  #box;
  #onOpen;

  /**
   * @param place a label with a checkbox, and beside it a place for what hinders.
   * @param onOpen is told of the job whose notification was clicked.
   */
  constructor(place, onOpen) {
    this.#box = place.querySelector("input");
    this.#onOpen = onOpen;
    place.classList.toggle("lacking", !globalThis.Notification || !isSecureContext);
    this.#box.checked = this.#isAllowed && Boolean(localStorage.getItem(WANTED));
    this.#box.addEventListener("change", () => this.#wish(place.querySelector(".fault")));
  }

  /** Takes a job as it is now. */
  hear(job) {
    const before = this.#statuses.get(job.id);
    this.#statuses.set(job.id, job.status);
    const isOver = before && !FINAL.includes(before) && FINAL.includes(job.status);
    if (isOver && job.status !== "canceled") this.#ring(job);
  }

  get #isAllowed() {
    return globalThis.Notification?.permission === "granted";
  }

  async #wish(place) {
    localStorage.removeItem(WANTED);
    place.textContent = "";
    if (!this.#box.checked) return;
    await Notification.requestPermission();
    this.#box.checked = this.#isAllowed;
    if (this.#isAllowed) localStorage.setItem(WANTED, "yes");
    else place.textContent = words.bell.denied;
  }

  #ring(job) {
    const news = words.bell[job.status];
    announce(news);
    if (!document.hidden) return;
    setNews(news);
    if (this.#box.checked) this.#notify(news, job);
  }

  #notify(news, { id, urls, progress }) {
    const icon = progress.preview_version ? urls.preview : "favicon.svg";
    try {
      const notification = new Notification(news, { body: words.bell.look, icon, tag: id });
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
        this.#onOpen(id);
      });
    } catch {
      // Telephones let only service workers notify; the title has changed all the same.
    }
  }
}
