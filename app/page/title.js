// The title of the page: where one is, or the news for those who look elsewhere.

import { words } from "./words.js";

let place = null;
let news = null;

/** Says where one is; null where the name of the page says it all. */
export function setPlace(text) {
  place = text;
  show();
}

/** Says what has happened, until somebody looks at the page. */
export function setNews(text) {
  news = text;
  show();
}

function show() {
  const text = news ?? place;
  document.title = text === null ? words.name : `${text} · ${words.name}`;
}

document.addEventListener("visibilitychange", () => document.hidden || setNews(null));
