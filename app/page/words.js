// All words of the page, and how numbers become words.

const number = new Intl.NumberFormat("en-GB");
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

const FEATURES = { bundled: "the bundled features", imagenet: "ImageNet features" };
const FORMATS = { png: "PNG", jpeg: "JPEG", webp: "WebP", tiff: "TIFF" };
const KINDS = "JPEG, PNG, WebP or TIFF";

export const words = {
  name: "Atelier",
  promise: "Your photograph, painted in the style of another picture.",
  docs: "For programs: the HTTP interface",
  admin: "For whoever runs it: the house",

  content: {
    title: "Photograph",
    choose: "Choose a photograph",
    further: "Choose another",
    missing: "Choose the photograph that is to be painted.",
    full: () => "One photograph is painted at a time; the first was taken.",
    hint: (max, bytes) => `or drop or paste it here. ${KINDS}, up to ${size(bytes)}.`,
  },
  samples: {
    title: "Or try one of these",
    names: { pavilion: "A pavilion", coffee: "A cup of coffee", cat: "A cat" },
    credits: {
      pavilion: "by danielbuechele, CC BY 2.0",
      coffee: "by Rachel Michetti, CC0",
      cat: "by Stéfan van der Walt, CC0",
    },
  },
  style: {
    title: "Style",
    choose: "Your own painting",
    further: "Another of your own",
    missing: "Choose at least one style, or a picture of your own to take it from.",
    full: (max) => `Up to ${max} pictures give the style; the rest was left out.`,
    hint: (max, bytes) =>
      `Choose one, or up to ${max} that blend. Your own may be dropped or pasted here too: `
      + `${KINDS}, up to ${size(bytes)}.`,
  },
  styles: {
    title: "Styles to choose from",
    names: {
      aurora: "Aurora",
      facets: "Facets",
      glass: "Glass",
      impasto: "Impasto",
      ink: "Ink",
      marbling: "Marbling",
      mosaic: "Mosaic",
      papercut: "Papercut",
      pointillism: "Pointillism",
      starlight: "Starlight",
      watercolour: "Watercolour",
      waves: "Waves",
      weave: "Weave",
      woodcut: "Woodcut",
    },
  },
  remove: (name) => `Remove ${name}`,
  withoutThumbnail: "TIFF, not shown by browsers",
  refused: {
    kind: (name) => `${name} is not taken: it must be a picture as ${KINDS}.`,
    bytes: (name, has, may) =>
      `${name} is too large: it has ${size(has)}, up to ${size(may)} are taken.`,
    unreadable: (name) => `${name} cannot be read. It may be damaged.`,
    nothing: "There was no file in what was dropped.",
  },

  settings: {
    size: { name: "Size", unit: "pixels on the long side" },
    quality: { name: "Quality", options: { draft: "Draft", standard: "Standard", fine: "Fine" } },
    style_weight: { name: "Strength of the style", unit: "1 is balanced" },
    style_scale: { name: "Size of the strokes", unit: "1 is as in the style picture" },
    preserve_color: {
      name: "Colours",
      options: {
        none: "From the style",
        luminance: "From the photograph",
        histogram: "Style, tuned to the photograph",
      },
    },
    seed: { name: "Seed", unit: "another number, another variation" },
    format: { name: "File format", options: FORMATS },
  },
  masks: {
    content: "Mask of the photograph",
    style: "Masks of the style pictures",
    unit: "Each region in a plain colour: it takes its style from the region of that colour. "
      + "One mask for every picture, in their order: your own style pictures, then ours.",
    paint: "Paint regions",
    again: "Change the regions",
    remove: "Remove the masks",
    styleMask: (number) => `Mask of style picture ${number}`,
    nothingYet: "Choose a photograph and at least one style first: regions are painted over them.",
    notShown: "Browsers do not show TIFF, so there is nothing to paint over: choose mask files.",
    unreadable: "One of the pictures cannot be shown at the moment. Try again.",
    changed: "These regions were painted for other pictures. Change them, or remove the masks.",
    title: "Paint regions",
    why: "Each region of the photograph is painted in the style of the regions of the same colour.",
    pictures: "Pictures to paint on",
    photograph: "Photograph",
    styleNumber: (number, name) => `Style ${number}: ${name}`,
    colours: "Region",
    regions: ["The rest", "Red", "Blue", "Yellow"],
    size: "Brush",
    undo: "Undo",
    redo: "Redo",
    fill: "Fill it all",
    clear: "Start over",
    keyboard: "Regions are drawn with mouse, pen or finger; “The rest” wipes away. By keyboard: fill "
      + "whole pictures here, or choose mask files in the form.",
    use: "Use these regions",
    leave: "Not now",
    ready: "Every region of the photograph has a style to take.",
    single: "So far all is one region. Paint another over the photograph and over a style, or fill "
      + "a style with it.",
    lacking: (regions) => {
      const names = regions.map((region) => words.masks.regions[region]).join(", ");
      return `On the photograph, but on no style picture: ${names}. Paint that over a style, too.`;
    },
    file: (number) => (number ? `regions-of-style-${number}.png` : "regions-of-photograph.png"),
  },
  range: (min, max, whole) =>
    `Give a ${whole ? "whole " : ""}number from ${number.format(min)} to ${number.format(max)}.`,
  more: "More settings",
  paint: "Paint",
  sending: "Sending the pictures…",
  marked: "Something needs another look: see what is marked above.",

  door: {
    title: "This Atelier asks for a key",
    why: "Whoever runs it can give you one: it begins with atl_. This browser then stays signed in "
      + "until you sign out.",
    key: "Key",
    enter: "Enter",
    entering: "One moment…",
    missing: "Enter your key.",
    wrong: "This key is not known here. Is all of it there?",
    cookies: "The browser did not keep the key: allow cookies for this page.",
    away: "The service does not answer at the moment. Try again soon.",
    visitor: (owner) => `Signed in as ${owner}.`,
    leave: "Sign out",
  },

  away: "The service does not answer at the moment. This page keeps trying.",
  stillHere: "Your pictures are still here: press Paint again in a moment.",
  house,
  features: (name) => FEATURES[name] ?? `features “${name}”`,

  status: {
    loading: "One moment…",
    queued: "Waiting in line",
    running: "Painting",
    succeeded: "Your painting",
    failed: "The painting failed",
    canceled: "Canceled",
    unknown: "No such painting",
    gone: "The painting is gone",
  },
  position,
  steps: (step, steps) =>
    steps ? `Step ${number.format(step)} of ${number.format(steps)}` : "Preparing",
  left,
  attempt: (count) => `taken up again, attempt ${count}`,
  percent: (fraction) => `${Math.floor(fraction * 100)}%`,
  painted: (percent) => `${percent} painted`,
  with: (features, { quality, seed }) => `With ${features}, in ${quality} quality, seed ${seed}.`,
  result: ({ width, height, format, bytes }) =>
    `${width} × ${height} pixels, ${FORMATS[format] ?? format}, ${size(bytes)}.`,
  kept: (until) => `Kept until ${moment.format(new Date(until))}.`,
  notShown: "Browsers do not show TIFF: this is the last preview.",
  soFar: "This is how far it came.",
  alt: {
    source: "Your photograph",
    preview: "The painting so far",
    result: "The finished painting",
  },
  compare: "Photograph and painting; the arrow keys move the divider",
  cancel: "Cancel",
  canceling: "Canceling…",
  save: "Save the picture",
  again: "Paint another",
};

/** The word behind a path such as "content.title". */
export function word(path, table = words) {
  return path.split(".").reduce((found, name) => found[name], table);
}

function size(bytes) {
  if (bytes < 2 ** 20) return `${number.format(Math.ceil(bytes / 2 ** 10))} kB`;
  return `${number.format(Math.round((bytes / 2 ** 20) * 10) / 10)} MB`;
}

/** Whether anybody can paint at the moment, and with what. */
function house({ workers, features, queue_length: waiting }) {
  const names = features.map(({ name }) => words.features(name)).join(" or ");
  const ready = workers.length
    ? `Ready to paint with ${names}.`
    : "No worker is there at the moment. Pictures wait in line until one comes.";
  return waiting ? `${ready} ${number.format(waiting)} in line.` : ready;
}

/** A place in the queue, null where it is not known yet. */
function position(place) {
  if (place == null) return "";
  return place === 1 ? "Next in line" : `Number ${number.format(place)} in line`;
}

/** Time left, no more exact than an estimate is. */
function left(seconds) {
  if (seconds == null) return "time left not known yet";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 90) return `about ${Math.ceil(seconds / 5) * 5} seconds left`;
  return `about ${Math.round(seconds / 60)} minutes left`;
}

/** How far a job is, in a line. */
export function howFar({ status, progress, queue_position: place, attempt, result, expires_at: until }) {
  if (status === "queued") return words.position(place);
  if (status === "succeeded") return `${words.result(result)} ${words.kept(until)}`;
  if (status !== "running") return progress.preview_version ? words.soFar : "";
  const { step, steps, eta_seconds: seconds } = progress;
  const parts = [words.steps(step, steps), words.left(seconds)];
  if (attempt > 1) parts.push(words.attempt(attempt));
  return parts.join(" · ");
}

/** What a job is painted with. */
export function madeOf({ status, features, params, result }) {
  const parts = features ? [words.with(words.features(features.name), params)] : [];
  if (status === "succeeded" && result.format === "tiff") parts.push(words.notShown);
  return parts.join(" ");
}
