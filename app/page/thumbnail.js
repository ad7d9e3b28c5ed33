// A job as a small picture: its newest preview, or else its photograph if that was kept here.

import { element } from "./dom.js";
import { recall } from "./keepsakes.js";

/** An image, empty until there is something to show. */
export function thumbnail() {
  return element("img", { alt: "", loading: "lazy", className: "thumbnail" });
}

/** Lets an image show a job as it is now. */
export async function showIn(image, { id, urls, progress: { preview_version: version } }) {
  const address = version ? `${urls.preview}?version=${version}` : "";
  if (image.dataset.shows === address) return;
  image.dataset.shows = address;
  if (address) image.src = address;
  else await showPhotograph(image, id);
}

async function showPhotograph(image, id) {
  const kept = await recall(id);
  if (!kept || image.dataset.shows) return;
  const address = URL.createObjectURL(kept.content[0]);
  const revoke = () => URL.revokeObjectURL(address);
  image.addEventListener("load", revoke, { once: true });
  image.addEventListener("error", () => image.removeAttribute("src"), { once: true }); // a TIFF
  image.src = address;
}
