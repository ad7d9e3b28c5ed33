// The regions of one picture: a number for each pixel, painted with hard edges, and undone.

/** Rows and columns of the long side; regions have softer edges than that when they are used. */
const LONG_SIDE = 1024;

/** Deeds that can be undone; each keeps the pixels that it has changed. */
const MEMORY = 40;

/** A region on less of its picture than this is a blot, as the service has it. */
const LEAST_SHARE = 0.005;

export class Regions {
  #done = [];
  #undone = [];
  #before = null;

  /** Everything belongs to region 0 at first. */
  constructor(width, height) {
    const scale = LONG_SIDE / Math.max(width, height);
    this.width = Math.max(1, Math.round(width * scale));
    this.height = Math.max(1, Math.round(height * scale));
    this.pixels = new Uint8Array(this.width * this.height);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Begins a stroke; what follows until `end` is one deed. */
  begin() {
    this.#before ??= this.pixels.slice();
  }

  /** Paints a stroke's part: all that is within `radius` of the way between two points. */
  line([x0, y0], [x1, y1], radius, region) {
    const [dx, dy] = [x1 - x0, y1 - y0];
    const length2 = dx * dx + dy * dy;
    const left = Math.max(0, Math.floor(Math.min(x0, x1) - radius));
    const right = Math.min(this.width - 1, Math.ceil(Math.max(x0, x1) + radius));
    const top = Math.max(0, Math.floor(Math.min(y0, y1) - radius));
    const bottom = Math.min(this.height - 1, Math.ceil(Math.max(y0, y1) + radius));
    for (let y = top; y <= bottom; y += 1) {
      for (let x = left; x <= right; x += 1) {
        const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
        const along = length2 && Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
        const [ox, oy] = [px - along * dx, py - along * dy];
        if (ox * ox + oy * oy <= radius * radius) this.pixels[y * this.width + x] = region;
      }
    }
  }

  /** Gives the whole picture to a region. */
  fill(region) {
    this.begin();
    this.pixels.fill(region);
    this.end();
  }

  /** Ends a deed. */
  end() {
    const patch = this.#before && difference(this.#before, this.pixels);
    this.#before = null;
    if (!patch) return;
    this.#done = [...this.#done, patch].slice(-MEMORY);
    this.#undone = [];
  }

  undo() {
    this.#move(this.#done, this.#undone);
  }

  redo() {
    this.#move(this.#undone, this.#done);
  }

  /** The regions that are more than a blot. */
  present() {
    const counts = [];
    for (const region of this.pixels) counts[region] = (counts[region] ?? 0) + 1;
    const least = LEAST_SHARE * this.pixels.length;
    return Object.keys(counts).map(Number).filter((region) => counts[region] >= least);
  }

  /** The pixels in colours, as [red, green, blue, alpha] for each region. */
  asImage(colours) {
    const image = new ImageData(this.width, this.height);
    const words = new Uint32Array(image.data.buffer);
    const table = colours.map((colour) => new Uint32Array(new Uint8Array(colour).buffer)[0]);
    for (let at = 0; at < words.length; at += 1) words[at] = table[this.pixels[at]];
    return image;
  }

  /** Takes back the newest of some deeds, and keeps among others how it is done again. */
  #move(from, to) {
    const patch = from.pop();
    if (!patch) return;
    const now = this.pixels.slice(patch.start, patch.start + patch.pixels.length);
    this.pixels.set(patch.pixels, patch.start);
    to.push({ start: patch.start, pixels: now });
  }
}

/** The pixels as they were, from the first to the last that has changed; null if none has. */
function difference(before, after) {
  const start = before.findIndex((region, at) => region !== after[at]);
  if (start < 0) return null;
  const end = before.findLastIndex((region, at) => region !== after[at]);
  return { start, pixels: before.slice(start, end + 1) };
}
