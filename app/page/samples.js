// Sample photographs, for who wants to try it without one of their own.

import { Away } from "./api.js";
import { element } from "./dom.js";
import { words } from "./words.js";

/** Offers the samples; one that is pressed goes into the picker like a file of one's own. */
export function offerSamples(root, picker) {
  const buttons = Object.keys(words.samples.names).map((name) => {
    const image = element("img", { src: `samples/${name}-small.jpg`, alt: "" });
    const label = `${words.samples.names[name]}, ${words.samples.credits[name]}`;
    const button = element("button", { type: "button", title: label, ariaLabel: label }, image);
    button.addEventListener("click", () => take(name, picker));
    return button;
  });
  root.replaceChildren(element("span", { className: "hint" }, words.samples.title), ...buttons);
}

async function take(name, picker) {
  try {
    const answer = await fetch(`samples/${name}.jpg`);
    if (!answer.ok) throw new Away();
    await picker.add([new File([await answer.blob()], `${name}.jpg`, { type: "image/jpeg" })]);
    picker.focus();
  } catch (error) {
    if (!(error instanceof Away || error instanceof TypeError)) throw error; // of fetch: no network
    picker.blame(words.away);
  }
}
