// The operator's page: the whole house as it is now, asked for while somebody looks.

import { getAllJobs, getHouse, getSession, Refused } from "./api.js";
import { JobList } from "./admin-jobs.js";
import { showNumbers, showWorkers } from "./admin-house.js";
import { admin, STATUSES } from "./admin-words.js";
import { fillInWords } from "./dom.js";
import { Door } from "./door.js";
import { say } from "./keyed.js";
import { poll } from "./poll.js";
import { words } from "./words.js";

const EVERY_MS = 3_000;
const FAILURES = 10;

const find = (selector) => document.querySelector(selector);

fillInWords({ ...words, admin });
const door = new Door(find("#door"), find("#visitor"));
const failures = new JobList(find("#failures"), find("#no-failures"), refresh);
const jobs = new JobList(find("#jobs"), find("#no-jobs"), refresh);
let page = { cursor: null, next: null };

find("#status").append(
  new Option(admin.all, ""),
  ...STATUSES.map((status) => new Option(admin.states[status], status)),
);
find("#status").addEventListener("change", () => turnTo(null));
find("#newest").addEventListener("click", () => turnTo(null));
find("#older").addEventListener("click", () => turnTo(page.next));

function turnTo(cursor) {
  page = { cursor, next: null };
  return refresh();
}

/** Asks for all that is shown, and shows it. */
async function refresh(signal = AbortSignal.timeout(20_000)) {
  const [house, failed, listed] = await Promise.all([
    getHouse(signal),
    getAllJobs({ status: "failed", limit: FAILURES }, signal),
    getAllJobs(asked(), signal),
  ]);
  say(find("#now"), admin.asOf(house.version));
  say(find("#fault"), "");
  showNumbers(find("#numbers"), house);
  showWorkers(find("#workers"), find("#no-workers"), house.workers);
  failures.show(failed.jobs);
  jobs.show(listed.jobs);
  page.next = listed.next_cursor;
  find("#newest").hidden = page.cursor === null;
  find("#older").hidden = page.next === null;
  find("#house").hidden = false;
}

function asked() {
  const { cursor } = page;
  const status = find("#status").value;
  return { limit: 20, ...(cursor && { cursor }), ...(status && { status }) };
}

function onAway() {
  say(find("#fault"), admin.away);
}

/** Shows the house as long as somebody looks; true where they may not. */
async function look(signal) {
  if (document.hidden) return false;
  try {
    await refresh(signal);
    return false;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(find("#fault"), error.status === 403 ? admin.forbidden : error.message);
    find("#house").hidden = true;
    return true;
  }
}

await poll(async (signal) => door.greet(await getSession(signal)) ?? true, { onAway });
await poll(look, { every: EVERY_MS, onAway });
