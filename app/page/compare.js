// Before and after in one frame, with a divider to be moved by mouse, finger or arrow keys.

import "./vendor/img-comparison-slider/index.js";

import { element } from "./dom.js";
import { words } from "./words.js";

/** Percent of the width: nearly all is the painting, and the divider is there to be found. */
const START = 12;

/** The photograph on the left of a divider, the painting on the right of it. */
export function compare(photograph, painting) {
  photograph.slot = "first";
  painting.slot = "second";
  const knob = element("span", { slot: "handle", className: "knob", ariaHidden: "true" }, "↔");
  const slider = element("img-comparison-slider", {}, photograph, painting, knob);
  slider.value = START;
  slider.role = "group";
  slider.ariaLabel = words.compare;
  return slider;
}
