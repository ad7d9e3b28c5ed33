// What is told of a job and of the house, in the page's words.

import { percent } from "./numbers.js";
import { words } from "./words.js";

/** A job in one of these will not change any more. */
export const FINAL = ["succeeded", "failed", "canceled"];

/** Whether anybody can paint at the moment, and with what. */
export function house({ workers, features, queue_length: waiting }) {
  const names = features.map(({ name }) => words.features(name)).join(" or ");
  const ready = workers.length ? words.house.ready(names) : words.house.empty;
  return waiting ? `${ready} ${words.house.waiting(waiting)}` : ready;
}

/** How far a job is, in a line. */
export function howFar({ status, progress, queue_position: place, attempt, result, expires_at: until }) {
  if (status === "queued") return position(place);
  if (status === "succeeded") return `${words.result(result)} ${words.kept(until)}`;
  if (status !== "running") return progress.preview_version ? words.soFar : "";
  const { step, steps, eta_seconds: seconds } = progress;
  const parts = [steps ? words.steps(step, steps) : words.preparing, left(seconds)];
  if (attempt > 1) parts.push(words.attempt(attempt));
  return parts.join(" · ");
}

/** How far a job is, in as few words as there are. */
export function inShort({ status, progress, queue_position: place }) {
  if (status === "queued") return position(place) || words.status.queued;
  if (status !== "running") return words.short[status];
  return `${words.short.running} · ${percent(progress.fraction)}`;
}

/** What a job is painted with. */
export function madeOf({ status, features, params, result }) {
  const parts = features ? [words.with(words.features(features.name), params)] : [];
  if (status === "succeeded" && result.format === "tiff") parts.push(words.notShown);
  return parts.join(" ");
}

/** A place in the queue, null where it is not known yet. */
export function position(place) {
  if (place == null) return "";
  return place === 1 ? words.position.next : words.position.number(place);
}

/** Time left, no more exact than an estimate is. */
function left(seconds) {
  if (seconds == null) return words.left.unknown;
  if (seconds < 5) return words.left.soon;
  if (seconds < 90) return words.left.seconds(Math.ceil(seconds / 5) * 5);
  return words.left.minutes(Math.round(seconds / 60));
}
