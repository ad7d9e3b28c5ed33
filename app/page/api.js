// The service's HTTP interface. Each function asks once and gives the answer, or throws
// Refused (the request is at fault) or Away (the service is; asking again may help).

import { words } from "./words.js";

const PATIENCE_MS = 20_000;
const QUEUE_FULL = "urn:atelier:problem:queue-full";

/** The service refused; its reason is the message, the fields at fault are in `errors`. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `${status}`);
    this.status = status;
    this.errors = problem.errors ?? [];
  }
}

/** The service cannot be reached or does not work; `busy` if it has only too much to do. */
export class Away extends Error {
  constructor(problem = {}, retryAfterSeconds = 0) {
    super(problem.detail ?? words.away);
    this.busy = problem.type === QUEUE_FULL;
    this.retryAfterMs = retryAfterSeconds * 1000;
  }
}

export const getSystem = (signal) => read("/v1/system", signal);
export const getJob = (id, signal) => read(`/v1/jobs/${encodeURIComponent(id)}`, signal);
export const cancelJob = (job) => ask(job.urls.cancel, { method: "POST" });
export const submitJob = (form) => ask("/v1/jobs", { method: "POST", body: form });

/** The fields of a job with their limits and defaults, as JSON Schema. */
export async function getJobFields(signal) {
  const { components } = await read("/openapi.json", signal);
  return components.schemas.JobForm.properties;
}

/** Throws why an address gives no picture. */
export async function explainMissing(url) {
  await ask(url);
  throw new Away();
}

function read(path, signal) {
  return ask(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]) });
}

async function ask(path, options) {
  let response, answer;
  try {
    response = await fetch(path, options);
    answer = await response.json();
  } catch {
    throw new Away();
  }
  if (response.status >= 500 || response.status === 429) {
    throw new Away(answer, Number(response.headers.get("Retry-After")) || 0);
  }
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}
