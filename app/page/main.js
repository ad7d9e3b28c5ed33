// The page as a whole: which of its rooms is open, and whether the service is ready.

import { getJobFields, getSession, getStyles, getSystem } from "./api.js";
import { Bell } from "./bell.js";
import { offerDeeds } from "./deeds.js";
import { Door } from "./door.js";
import { Easel } from "./easel.js";
import { Paintings } from "./paintings.js";
import { poll } from "./poll.js";
import { Shelf } from "./shelf.js";
import { Studio } from "./studio.js";
import { house as tellOfHouse } from "./telling.js";
import { setPlace } from "./title.js";
import { words } from "./words.js";

const HOUSE_EVERY_MS = 5_000;
const PAINTINGS = "/?paintings";

const place = (selector) => document.querySelector(selector);

const house = place("#house");
const door = new Door(place("#door"), place("#visitor"));
const bell = new Bell(place("#bell"), (id) => go(`/?job=${id}`));
const easel = new Easel(place("#easel"), (job) => bell.hear(job));
const paintings = new Paintings(place("#paintings"));
const studio = new Studio(place("#studio"), (job) => go(`/?job=${job.id}`));
const shelf = new Shelf(place("#shelf"), (jobs) => {
  jobs.filter(({ id }) => id !== easel.job?.id).forEach((job) => bell.hear(job));
  paintings.update(jobs);
});

offerDeeds(place("#easel"), easel, {
  onAgain: async (job) => {
    await studio.layOut(job);
    go("/");
  },
  onContent: async (file) => {
    await studio.take(file);
    go("/");
  },
  onDeleted: () => go(PAINTINGS),
});

/**
 * Opens the room that the address names: `/?job=...` the easel with a job, `/?paintings` all of
 * them, `/` the studio.
 */
function enter() {
  const asked = new URLSearchParams(location.search);
  const id = asked.get("job");
  const room = id ? easel : asked.has("paintings") ? paintings : studio;
  [easel, paintings, studio].filter((other) => other !== room).forEach((other) => other.close());
  if (room === studio) setPlace(null);
  shelf.leaveOut(id);
  room.open(id);
  for (const link of document.querySelectorAll("nav [data-room]")) {
    const isHere = link.getAttribute("href") === location.pathname + location.search;
    link.ariaCurrent = isHere ? "page" : null;
  }
  return room;
}

function go(address) {
  history.pushState(null, "", address);
  enter().focus();
  scrollTo(0, 0);
}

addEventListener("popstate", enter);
document.addEventListener("click", (event) => {
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey; // a tab of its own
  const link = event.target.closest("a[data-room]");
  if (elsewhere || !link) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
enter();

const onAway = (error) => (house.textContent = error.message);
poll(async (signal) => door.greet(await getSession(signal)) ?? true, { onAway });
poll(async (signal) => studio.hang(await getStyles(signal)) ?? true, { onAway });
shelf.run(onAway);
await poll(async (signal) => studio.describe(await getJobFields(signal)) ?? true, { onAway });
await poll(
  async (signal) => {
    house.textContent = tellOfHouse(await getSystem(signal));
    studio.welcomeBack();
  },
  { every: HOUSE_EVERY_MS, onAway },
);
