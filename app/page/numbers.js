// How numbers, sizes and times are written.

const plain = new Intl.NumberFormat("en-GB");
const moments = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const figures = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });

/** A number in full. */
export const number = (value) => plain.format(value);

/** A number to three figures. */
export const figure = (value) => figures.format(value);

/** A time of the service, in the reader's own zone. */
export const moment = (time) => moments.format(new Date(time));

/** A part of 1, never more than it is: 100 % is when all is done. */
export const percent = (fraction) => `${Math.floor(fraction * 100)}%`;

/** Bytes. */
export function size(bytes) {
  if (bytes < 2 ** 20) return `${number(Math.ceil(bytes / 2 ** 10))} kB`;
  return `${number(Math.round((bytes / 2 ** 20) * 10) / 10)} MB`;
}
