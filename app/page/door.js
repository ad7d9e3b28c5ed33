// The door: asks for a key where the service has keys, says who has come in, and lets them out.

import { Away, onLocked, Refused, signIn, signOut } from "./api.js";
import { words } from "./words.js";

export class Door {
  #dialog;
  #visitor;
  #waiting = null;
  #open = () => {};

  /**
   * @param dialog asks for the key.
   * @param visitor says whose it is, with a button to sign out.
   */
  constructor(dialog, visitor) {
    this.#dialog = dialog;
    this.#visitor = visitor;
    onLocked(() => this.#ask());
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enter();
    });
    // Escape closes what a script opened, in some browsers whatever the script says.
    dialog.addEventListener("close", () => this.#waiting && dialog.showModal());
    visitor.querySelector("button").addEventListener("click", () => this.#leave());
  }

  /** Says who is there; where there are no keys, nothing. */
  greet({ owner, admin, keys_required: locked }) {
    for (const part of document.querySelectorAll("[data-for-admins]")) part.hidden = locked && !admin;
    this.#visitor.hidden = !locked;
    this.#visitor.querySelector("span").textContent = locked ? words.door.visitor(owner) : "";
  }

  /** Asks for a key, once for all who wait for it; they wait until one opens. */
  #ask() {
    if (!this.#waiting) {
      this.#waiting = new Promise((resolve) => (this.#open = resolve));
      this.#say("");
      this.#dialog.showModal();
    }
    return this.#waiting;
  }

  async #enter() {
    const key = this.#input.value.trim();
    if (!key) return this.#say(words.door.missing);
    this.#setBusy(true);
    try {
      this.greet(await signIn(key));
      this.#let();
    } catch (error) {
      if (!(error instanceof Away || error instanceof Refused)) throw error;
      this.#say(error instanceof Away ? words.door.away : error.message);
    } finally {
      this.#setBusy(false);
    }
  }

  #let() {
    this.#input.value = ""; // no key stays in the page
    this.#waiting = null;
    this.#dialog.close();
    this.#open();
  }

  /** Forgets the session, and with a new page all that this one shows and holds. */
  async #leave() {
    try {
      await signOut();
    } finally {
      location.assign("/");
    }
  }

  get #input() {
    return this.#dialog.querySelector("input");
  }

  #setBusy(busy) {
    const button = this.#dialog.querySelector("button");
    button.disabled = busy;
    button.textContent = busy ? words.door.entering : words.door.enter;
  }

  #say(fault) {
    this.#dialog.querySelector(".fault").textContent = fault;
    this.#input.setAttribute("aria-invalid", String(Boolean(fault)));
    this.#input.focus();
  }
}
