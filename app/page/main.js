// The page as a whole: which of its two rooms is open, and whether the service is ready.

import { getJobFields, getSession, getStyles, getSystem } from "./api.js";
import { fillInWords } from "./dom.js";
import { Door } from "./door.js";
import { Easel } from "./easel.js";
import { poll } from "./poll.js";
import { Studio } from "./studio.js";
import { words } from "./words.js";

const HOUSE_EVERY_MS = 5_000;

fillInWords();
const house = document.querySelector("#house");
const door = new Door(document.querySelector("#door"), document.querySelector("#visitor"));
const easel = new Easel(document.querySelector("#easel"));
const studio = new Studio(document.querySelector("#studio"), (job, photograph) =>
  go(`/?job=${job.id}`, photograph),
);

/** Opens the room that the address names: `/?job=...` the easel with a job, `/` the studio. */
function enter(photograph = null) {
  const id = new URLSearchParams(location.search).get("job");
  if (id) {
    studio.close();
    easel.open(id, photograph);
    return easel;
  }
  easel.close();
  studio.open();
  document.title = words.name;
  return studio;
}

function go(address, photograph) {
  history.pushState(null, "", address);
  enter(photograph).focus();
  scrollTo(0, 0);
}

addEventListener("popstate", () => enter());
document.addEventListener("click", (event) => {
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey; // a tab of its own
  if (elsewhere || !event.target.closest("[data-home]")) return;
  event.preventDefault();
  go("/");
});
enter();

const onAway = (error) => (house.textContent = error.message);
poll(async (signal) => door.greet(await getSession(signal)) ?? true, { onAway });
poll(async (signal) => studio.hang(await getStyles(signal)) ?? true, { onAway });
await poll(async (signal) => studio.describe(await getJobFields(signal)) ?? true, { onAway });
await poll(
  async (signal) => {
    house.textContent = words.house(await getSystem(signal));
    studio.welcomeBack();
  },
  { every: HOUSE_EVERY_MS, onAway },
);
