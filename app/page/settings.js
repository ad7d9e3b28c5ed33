// The settings: controls made from the service's own description of a job's fields, so that
// limits, defaults and choices are written down nowhere else.

import { element } from "./dom.js";
import { ACCEPTED } from "./pictures.js";
import { words } from "./words.js";

const FRONT = ["size", "quality"];
const BEHIND = ["style_weight", "style_scale", "preserve_color", "seed", "format"];
const FILES = ["content_mask", "style_mask"];

export class Settings {
  #fields = {};
  #form;

  constructor(form) {
    this.#form = form;
    for (const name of FILES) form.elements[name].accept = ACCEPTED;
  }

  /** Makes the controls. */
  build(fields) {
    this.#fields = fields;
    const make = (names, ways) =>
      names.filter((name) => name in fields).map((name) => field(name, fields[name], ways));
    this.#form.querySelector("#settings").replaceChildren(...make(FRONT, radios));
    this.#form.querySelector("#more-settings").replaceChildren(...make(BEHIND, menu));
  }

  /** Marks each control that is out of its range; says whether all are well. */
  check() {
    FILES.forEach((name) => this.blame("", name)); // only the service knows
    const numbers = [...this.#form.querySelectorAll(".field input[type=number]")];
    for (const input of numbers) {
      const { type, minimum, maximum } = this.#fields[input.name];
      const well = input.validity.valid;
      this.blame(well ? "" : words.range(minimum, maximum, type === "integer"), input.name);
    }
    return numbers.every((input) => input.validity.valid);
  }

  /** Shows what is wrong with a field; false if there is no such field here. */
  blame(fault, name) {
    const place = this.#form.querySelector(`#fault-${CSS.escape(name)}`);
    if (!place) return false;
    place.textContent = fault;
    const [control] = this.#controls(name);
    control.setAttribute("aria-invalid", fault !== "");
    if (fault) this.#form.querySelector("#more").open ||= Boolean(control.closest("#more"));
    return true;
  }

  /** Adds what differs from the defaults, and files. */
  addTo(data) {
    for (const name of [...FRONT, ...BEHIND]) {
      const value = this.#form.elements[name]?.value;
      if (value && value !== String(this.#fields[name].default)) data.append(name, value);
    }
    for (const name of FILES) {
      for (const file of this.#form.elements[name].files) data.append(name, file);
    }
  }

  #controls(name) {
    return this.#form.querySelectorAll(`[name="${CSS.escape(name)}"]`);
  }
}

function field(name, schema, manyWays) {
  const text = words.settings[name] ?? { name: schema.title };
  const control = schema.enum ? manyWays(name, choices(schema, text)) : numberInput(name, schema);
  control.setAttribute("aria-labelledby", `name-${name}`);
  control.setAttribute("aria-describedby", `unit-${name} fault-${name}`);
  const label = element("label", { id: `name-${name}`, htmlFor: name }, text.name);
  const unit = element("span", { className: "unit", id: `unit-${name}` }, text.unit ?? "");
  const fault = element("p", { className: "fault", id: `fault-${name}`, role: "alert" });
  return element("div", { className: "field" }, label, control, unit, fault);
}

function numberInput(name, { type, minimum: min, maximum: max, default: defaultValue }) {
  const step = type === "integer" ? 1 : "any";
  return element("input", { type: "number", id: name, name, min, max, step, defaultValue });
}

function choices({ enum: values, default: standard }, { options }) {
  return values.map((value) => [options?.[value] ?? value, value, value === standard]);
}

function radios(name, ways) {
  const labels = ways.map(([text, value, defaultChecked]) => {
    const radio = element("input", { type: "radio", name, value, defaultChecked });
    return element("label", {}, radio, element("span", {}, text));
  });
  return element("div", { className: "choices", role: "radiogroup" }, ...labels);
}

function menu(name, ways) {
  return element("select", { id: name, name }, ...ways.map((way) => new Option(...way, way[2])));
}
