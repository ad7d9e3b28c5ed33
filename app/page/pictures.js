// What a chosen file must be before it is uploaded. The service looks again, and more closely.

import { words } from "./words.js";

/** Bytes of a picture, unless the service says otherwise. */
const MAX_BYTES = 40 * 2 ** 20;

const BEGINNINGS = {
  jpeg: /^\xff\xd8\xff/,
  png: /^\x89PNG\r\n\x1a\n/,
  webp: /^RIFF[^]{4}WEBP/,
  tiff: /^(II\*\0|MM\0\*)/,
};

/** What a file dialog offers. */
export const ACCEPTED = Object.keys(BEGINNINGS).map((kind) => `image/${kind}`).join();

let examined = 0;

/** A file is not taken; the message says why. */
export class NotTaken extends Error {}

/** How large a file may be. */
export const maxBytesOf = (fields) => fields?.content.maxLength ?? MAX_BYTES;

/**
 * Looks at a chosen file.
 *
 * @returns the file with an id of its own, and, if browsers show it, an address and its size in
 *   pixels.
 * @throws NotTaken
 */
export async function examine(file, maxBytes) {
  const kind = await kindOf(file);
  if (!kind) throw new NotTaken(words.refused.kind(file.name));
  if (file.size > maxBytes) {
    throw new NotTaken(words.refused.bytes(file.name, file.size, maxBytes));
  }
  const id = `own-${examined++}`;
  if (kind === "tiff") return { id, file, url: null };
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
  } catch {
    URL.revokeObjectURL(image.src);
    throw new NotTaken(words.refused.unreadable(file.name));
  }
  return { id, file, url: image.src, width: image.naturalWidth, height: image.naturalHeight };
}

/** The kind of a picture by its first bytes, as a name may say anything. */
async function kindOf(file) {
  let bytes;
  try {
    bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  } catch {
    throw new NotTaken(words.refused.unreadable(file.name)); // a folder, or gone
  }
  const text = String.fromCharCode(...bytes);
  return Object.keys(BEGINNINGS).find((kind) => BEGINNINGS[kind].test(text));
}
