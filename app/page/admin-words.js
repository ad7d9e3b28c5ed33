// All words of the operator's page, and how its numbers become words.

import { percent } from "./numbers.js";
import { position } from "./telling.js";
import { words } from "./words.js";

const number = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "short", timeStyle: "medium" });

export const STATUSES = ["queued", "running", "succeeded", "failed", "canceled"];

const STATES = {
  queued: "Waiting",
  running: "Being painted",
  succeeded: "Painted",
  failed: "Failed",
  canceled: "Canceled",
};

export const admin = {
  title: "the house",
  home: "To the studio",
  numbers: "At this moment",
  waiting: "Waiting",
  oldest: "Longest wait",
  states: STATES,
  workers: "Workers",
  noWorkers: "No worker is there: jobs wait until one comes.",
  failures: "What failed",
  noFailures: "Nothing has failed lately.",
  jobs: "All jobs",
  show: "Show",
  all: "All",
  noJobs: "There are no such jobs.",
  newest: "Newest",
  older: "Older",
  cancel: "Cancel",
  retry: "Try again",
  done: { cancel: "Canceled.", retry: "Queued again." },
  asOf: (version) => `Atelier ${version}, as of ${moment.format(new Date())}.`,
  forbidden: "This page is for keys with the role of an admin, and yours is not one. Sign out below "
    + "to come in with another.",
  away: "The service does not answer at the moment. What is shown may be old.",
  count: (many) => number.format(many),
  lasting,
  worker: ({ host, pid, version }) => `${host}, process ${pid}, Atelier ${version}`,
  up: (seconds) => `up for ${lasting(seconds)}`,
  device: ({ busy, steps_per_second: speed, precision }) =>
    busy ? `paints ${number.format(speed)} steps a second in ${precision}` : "is free",
  busy: (fraction) => `busy ${Math.round(fraction * 100)}% of its time`,
  job,
  link: (id) => `Job ${id.slice(0, 8)}`,
};

/** How long something lasts, no more exact than one looks at it. */
function lasting(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${number.format(seconds / 3600)} h`;
  return `${number.format(seconds / 86_400)} days`;
}

/** What there is to say of a job, in a line. */
function job({ owner, created_at: since, params, attempt, queue_position: place, ...now }) {
  const parts = [
    owner,
    moment.format(new Date(since)),
    `${params.size} px, ${params.quality}`,
    now.status === "queued" ? position(place).toLowerCase() : "",
    now.status === "running" ? percent(now.progress.fraction) : "",
    attempt > 1 ? `attempt ${attempt}` : "",
  ];
  return parts.filter(Boolean).join(" · ");
}
