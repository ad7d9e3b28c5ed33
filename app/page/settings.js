// The settings: controls made from the service's own description of a job's fields, so that
// limits, defaults and choices are written down nowhere else.

import { element } from "./dom.js";
import { number } from "./numbers.js";
import { ACCEPTED } from "./pictures.js";
import { words } from "./words.js";

const FRONT = ["size", "quality"];
const BEHIND = [
  "style_weight",
  "style_scale",
  "preserve_color",
  "content_weight",
  "tv_weight",
  "style_loss",
  "init",
  "steps",
  "seed",
  "format",
];
const FILES = ["content_mask", "style_mask"];

/** What the pictures are asked for by, and no setting. */
const ELSEWHERE = ["style_weights"];

export class Settings {
  #fields = {};
  #form;
  #values = {};

  constructor(form) {
    this.#form = form;
    for (const name of FILES) form.elements[name].accept = ACCEPTED;
  }

  /** Makes the controls. */
  build(fields) {
    this.#fields = Object.fromEntries(
      Object.entries(fields).map(([name, schema]) => [name, withoutNull(schema)]),
    );
    const make = (names, ways) =>
      names.filter((name) => name in fields).map((name) => field(name, this.#fields[name], ways));
    this.#form.querySelector("#settings").replaceChildren(...make(FRONT, radios));
    this.#form.querySelector("#more-settings").replaceChildren(...make(BEHIND, menu));
    this.fill(this.#values);
  }

  /** Sets what has a control; other parameters that are not as usual are sent along, and named. */
  fill(values) {
    this.#values = values;
    for (const name of this.#shown) {
      const usual = this.#fields[name].default;
      this.#form.elements[name].value = values[name] ?? usual ?? "";
      this.blame("", name);
    }
    const along = Object.entries(this.#alongside).map(([name, value]) => `${name} ${value}`);
    this.#form.querySelector("#alongside").textContent = along.length ? words.alongside(along) : "";
    const unusual = BEHIND.some((name) => this.values[name]);
    if (unusual || along.length) this.#form.querySelector("#more").open = true;
  }

  /** What differs from the defaults, by name. */
  get values() {
    if (!this.#shown.length) return this.#values;
    const chosen = this.#shown.map((name) => [name, this.#form.elements[name].value]);
    return { ...Object.fromEntries(chosen.filter(this.#isUnusual)), ...this.#alongside };
  }

  /** The files among the settings, by name. */
  get files() {
    return Object.fromEntries(FILES.map((name) => [name, [...this.#form.elements[name].files]]));
  }

  set files(files) {
    for (const name of FILES) {
      const chosen = new DataTransfer();
      for (const file of files[name] ?? []) chosen.items.add(file);
      this.#form.elements[name].files = chosen.files;
      this.#form.elements[name].dispatchEvent(new Event("change"));
    }
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
    Object.entries(this.values).forEach(([name, value]) => data.append(name, value));
    for (const [name, files] of Object.entries(this.files)) {
      files.forEach((file) => data.append(name, file));
    }
  }

  get #shown() {
    return [...FRONT, ...BEHIND].filter((name) => this.#form.elements[name]);
  }

  get #alongside() {
    const known = [...this.#shown, ...ELSEWHERE];
    const others = Object.entries(this.#values).filter(([name]) => !known.includes(name));
    return Object.fromEntries(others.filter(this.#isUnusual));
  }

  #isUnusual = ([name, value]) =>
    value !== "" && value != null && String(value) !== String(this.#fields[name]?.default);

  #controls(name) {
    return this.#form.querySelectorAll(`[name="${CSS.escape(name)}"]`);
  }
}

/** A field that may be left out is described by what it is where it is not. */
function withoutNull({ anyOf = [], ...schema }) {
  return { ...schema, ...anyOf.find(({ type }) => type !== "null") };
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

function numberInput(name, { type, minimum: min, maximum: max, default: usual }) {
  const step = type === "integer" ? 1 : "any";
  const title = words.limits(number(min), number(max));
  return element("input", {
    ...{ type: "number", id: name, name, min, max, step, title },
    defaultValue: usual ?? "",
    required: usual != null,
  });
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
