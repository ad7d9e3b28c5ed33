// Looking again and again: calmly while all is well, ever more rarely while the service is away,
// and at once when somebody comes back to the page or the network does.

import { Away } from "./api.js";

const HIDDEN_MS = 5_000;
const LONGEST_MS = 15_000;

/**
 * Calls `look(signal)` until it returns true or the signal is aborted.
 *
 * @param look asks the service; an Away that it throws leads to another try.
 * @param every milliseconds between two looks while the page is visible.
 * @param signal ends it; without one it goes on as long as the page.
 * @param onAway is told of each Away.
 */
export async function poll(look, { every = 0, signal = new AbortController().signal, onAway }) {
  let failures = 0;
  while (!signal.aborted) {
    let wait = document.hidden ? Math.max(every, HIDDEN_MS) : every;
    try {
      if (await look(signal)) return;
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Away)) throw error;
      onAway(error);
      failures += 1;
      wait = Math.max(error.retryAfterMs, Math.min(500 * 2 ** failures, LONGEST_MS));
    }
    await pause(wait, signal);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const wake = () => {
      clearTimeout(timer);
      over.abort();
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    const until = { signal: over.signal };
    document.addEventListener("visibilitychange", wake, until);
    window.addEventListener("online", wake, until);
    signal.addEventListener("abort", wake, until);
  });
}
