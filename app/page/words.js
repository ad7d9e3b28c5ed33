// All words of the page.

import { moment, number, percent, size } from "./numbers.js";

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
  take: "Take a photo",
  blend: {
    title: "The blend",
    share: (name) => `Share of ${name}`,
    nothing: "At least one style has to give something.",
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
    quality: {
      name: "Quality",
      unit: "draft is quick, fine takes its time",
      options: { draft: "Draft", standard: "Standard", fine: "Fine" },
    },
    style_weight: { name: "Strength of the style", unit: "1 is balanced, 2 is twice as strong" },
    style_scale: { name: "Size of the strokes", unit: "1 is as in the style picture" },
    preserve_color: {
      name: "Colours",
      unit: "where they come from",
      options: {
        none: "From the style",
        luminance: "From the photograph",
        histogram: "Style, tuned to the photograph",
      },
    },
    content_weight: { name: "Faithfulness", unit: "more keeps more of the photograph’s shapes" },
    tv_weight: { name: "Smoothness", unit: "more gives calmer surfaces" },
    style_loss: {
      name: "What makes a style",
      unit: "what is held of its brushwork",
      options: { gram: "Patterns", wasserstein: "Averages as well" },
    },
    init: {
      name: "Begin with",
      unit: "noise strays furthest from the photograph",
      options: { content: "The photograph", noise: "Noise", style: "The style picture" },
    },
    steps: { name: "Steps", unit: "as the quality says, if left empty" },
    seed: { name: "Seed", unit: "another number, another variation" },
    format: { name: "File format", unit: "TIFF has 16 bits a sample", options: FORMATS },
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
  alongside: (settings) => `As before, too: ${settings.join(", ")}.`,
  asUsual: "All settings as usual",
  limits: (min, max) => `From ${min} to ${max}`,
  range: (min, max, whole) =>
    `Give a ${whole ? "whole " : ""}number from ${number(min)} to ${number(max)}.`,
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
  house: {
    ready: (names) => `Ready to paint with ${names}.`,
    empty: "No worker is there at the moment. Pictures wait in line until one comes.",
    waiting: (count) => `${number(count)} in line.`,
  },
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
  short: {
    running: "Painting",
    succeeded: "Painted",
    failed: "Failed",
    canceled: "Canceled",
  },
  position: { next: "Next in line", number: (place) => `Number ${number(place)} in line` },
  preparing: "Preparing",
  steps: (step, steps) => `Step ${number(step)} of ${number(steps)}`,
  left: {
    unknown: "time left not known yet",
    soon: "a few seconds left",
    seconds: (count) => `about ${count} seconds left`,
    minutes: (count) => `about ${count} minutes left`,
  },
  attempt: (count) => `taken up again, attempt ${count}`,
  painted: (fraction) => `${percent(fraction)} painted`,
  with: (features, { quality, seed }) => `With ${features}, in ${quality} quality, seed ${seed}.`,
  result: ({ width, height, format, bytes }) =>
    `${width} × ${height} pixels, ${FORMATS[format] ?? format}, ${size(bytes)}.`,
  kept: (until) => `Kept until ${moment(until)}.`,
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
  meanwhile: "Paint another meanwhile",
  vary: "Again with other settings",
  goOn: "Use it as the photograph",
  link: { copy: "Copy the link", copied: "Copied", address: "The address of this painting" },
  closer: "Zoom to pixels",
  lens: {
    title: "The painting, pixel by pixel",
    pane: "The painting; arrow keys move it, Enter shows it as a whole or by its pixels",
    whole: "Whole",
    pixels: "100 %",
    leave: "Close",
  },
  laidOut: {
    all: "Its pictures and settings lie here again. Change what you like.",
    settings: "Its settings are below. Its pictures are not on this device: choose them again.",
    content: "The painting is the photograph now. Choose a style for it.",
  },
  bell: {
    ask: "Tell me when it is done",
    denied: "The browser does not allow it: notifications are blocked for this page.",
    succeeded: "A painting is done",
    failed: "A painting failed",
    look: "Click to look at it.",
  },
  curve: {
    title: "Loss curve",
    content: "Content",
    style: "Style",
    total: "Total",
    told: (first, last, figure) =>
      `The total loss went from ${figure(first.total)} to ${figure(last.total)} `
      + `in ${number(last.step)} steps.`,
  },

  shelf: { title: "Meanwhile", open: "Look at it" },
  paintings: {
    title: "Your paintings",
    show: "Show",
    filter: {
      "": "All",
      succeeded: "Painted",
      running: "Painting",
      queued: "Waiting",
      failed: "Failed",
      canceled: "Canceled",
    },
    none: "Nothing has been painted here so far.",
    noneSuch: "None of these.",
    more: "Show more",
    delete: (when) => `Delete the painting of ${when}`,
  },
  delete: "Delete",
  deleted: "Deleted.",
  confirm: {
    title: "Delete this painting?",
    why: "It is gone then, for good, and with it what this browser has kept of its pictures.",
    yes: "Delete it",
    no: "Keep it",
  },
};

/** The word behind a path such as "content.title". */
export function word(path, table = words) {
  return path.split(".").reduce((found, name) => found[name], table);
}
