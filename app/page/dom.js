// Three small helpers for the document.

import { word } from "./words.js";

/** A new element with properties and children. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Puts the words into the document wherever it names them. */
export function fillInWords(table) {
  for (const place of document.querySelectorAll("[data-word]")) {
    place.textContent = word(place.dataset.word, table);
  }
  for (const place of document.querySelectorAll("[data-label]")) {
    place.ariaLabel = word(place.dataset.label, table);
  }
}

/** Lets a screen reader say something, once. */
export function announce(text) {
  const announcer = document.querySelector("#announcer");
  if (announcer.textContent !== text) announcer.textContent = text;
}
