// The service's HTTP interface. Each function asks once and gives the answer, or throws
// Refused (the request is at fault) or Away (the service is; asking again may help).

import { words } from "./words.js";

const PATIENCE_MS = 20_000;
const QUEUE_FULL = "urn:atelier:problem:queue-full";

let unlock = null;

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
export const getLosses = (job) => ask(job.urls.losses);
export const deleteJob = (job) => ask(job.urls.self, { method: "DELETE" });
export const cancelJob = (job) => ask(job.urls.cancel, { method: "POST" });
export const retryJob = (job) => ask(job.urls.retry, { method: "POST" });
export const submitJob = (form) => ask("/v1/jobs", { method: "POST", body: form });

/** The newest jobs, or those after a cursor: as many as asked for, of one status if there is one. */
export function getJobs(asked, signal) {
  const given = Object.entries(asked).filter(([, value]) => value);
  return read(`/v1/jobs?${new URLSearchParams(given)}`, signal);
}

/** Where the painting of a job is: here, and not where the page may not fetch or show it. */
export const resultOf = ({ urls }) => `${urls.result}?redirect=false`;

/** The painting of a job, as a file. */
export async function fetchResult(job) {
  try {
    const response = await fetch(resultOf(job));
    if (!response.ok) await explainMissing(resultOf(job));
    const { format } = job.result;
    return new File([await response.blob()], `atelier-${job.id.slice(0, 8)}.${format}`);
  } catch (error) {
    throw error instanceof TypeError ? new Away() : error;
  }
}

/** The whole house and everybody's jobs, for who runs it; `asked` has status and cursor. */
export const getHouse = (signal) => read("/v1/admin/house", signal);
export const getAllJobs = (asked, signal) =>
  read(`/v1/admin/jobs?${new URLSearchParams(asked)}`, signal);

/** Who has signed in here. */
export const getSession = (signal) => read("/v1/session", signal);

/** Gives a key for a session, which the browser keeps in a cookie, and says who has signed in. */
export async function signIn(key) {
  const { wrong, cookies } = words.door;
  if (!/^[!-~]+$/.test(key)) throw new Refused(401, { detail: wrong }); // no header takes it
  const headers = { Authorization: `Bearer ${key}` };
  const begun = await exchange("/v1/session", { method: "POST", headers });
  if (begun.response.status === 401) throw new Refused(401, { detail: wrong });
  if (!begun.response.ok) throw new Away(begun.answer);
  const { response, answer } = await exchange("/v1/session");
  if (!response.ok) throw new Refused(response.status, { detail: cookies });
  return answer;
}

/** Ends the session. */
export const signOut = () => exchange("/v1/session", { method: "DELETE" });

/** Has `open()` called when the service asks for a key; what was asked is asked again after it. */
export function onLocked(open) {
  unlock = open;
}

/** The fields of a job with their limits and defaults, as JSON Schema. */
export async function getJobFields(signal) {
  const { components } = await read("/openapi.json", signal);
  return components.schemas.JobForm.properties;
}

/** The style pictures that come with the service. */
export async function getStyles(signal) {
  return (await read("/v1/styles", signal)).styles;
}

/** Throws why an address gives no picture. */
export async function explainMissing(url) {
  await ask(url);
  throw new Away();
}

function read(path, signal) {
  return ask(path, { signal, patience: PATIENCE_MS });
}

async function ask(path, options) {
  const { response, answer } = await exchange(path, options);
  if (response.status === 401 && unlock) {
    await unlock();
    return ask(path, options);
  }
  if (response.status >= 500 || response.status === 429) {
    throw new Away(answer, Number(response.headers.get("Retry-After")) || 0);
  }
  if (!response.ok) throw new Refused(response.status, answer);
  return answer;
}

async function exchange(path, { signal, patience, ...options } = {}) {
  try {
    const until = patience && AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    const response = await fetch(path, { ...options, signal: until });
    return { response, answer: response.status === 204 ? null : await response.json() };
  } catch {
    throw new Away();
  }
}
