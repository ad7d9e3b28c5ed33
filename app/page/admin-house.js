// What the house is doing: numbers, and the workers with their devices.

import { admin, STATUSES } from "./admin-words.js";
import { element } from "./dom.js";
import { say, show } from "./keyed.js";
import { words } from "./words.js";

/** The numbers: the queue, and jobs by status. */
export function showNumbers(list, house) {
  const { queue_length: waiting, oldest_wait_seconds: oldest, jobs } = house;
  const ended = STATUSES.filter((status) => status !== "queued");
  const numbers = [
    [admin.waiting, admin.count(waiting)],
    [admin.oldest, admin.lasting(oldest)],
    ...ended.map((status) => [admin.states[status], admin.count(jobs[status])]),
  ];
  show(list, numbers, {
    key: ([name]) => name,
    make: ([name]) => element("div", {}, element("dt", {}, name), element("dd")),
    update: (item, [, number]) => say(item.querySelector("dd"), number),
  });
}

/** The workers, and what each of their devices does. */
export function showWorkers(list, none, workers) {
  none.hidden = workers.length > 0;
  show(list, workers, {
    key: ({ name }) => name,
    make: ({ name }) =>
      element("li", {}, element("h3", {}, name), element("p", { className: "hint" }), element("ul")),
    update: (item, worker) => {
      const seconds = (Date.now() - new Date(worker.started_at)) / 1000;
      const known = [admin.worker(worker), words.features(worker.features.name), admin.up(seconds)];
      say(item.querySelector(".hint"), known.join(" · "));
      showDevices(item.querySelector("ul"), worker.devices, seconds);
    },
  });
}

function showDevices(list, devices, seconds) {
  show(list, devices, {
    key: ({ name }) => name,
    make: ({ name }) =>
      element(
        "li",
        {},
        element("strong", {}, name),
        element("span", { className: "does" }),
        element("meter", { max: 1, ariaLabel: name }),
        element("span", { className: "busy" }),
      ),
    update: (item, device) => {
      const fraction = Math.min(1, device.busy_seconds / Math.max(1, seconds));
      item.querySelector("meter").value = fraction;
      say(item.querySelector(".does"), admin.device(device));
      say(item.querySelector(".busy"), admin.busy(fraction));
    },
  });
}
