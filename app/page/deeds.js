// What can be done with a painting that has ended: look closer, paint it again, go on from it,
// share it, have it forgotten.

import { deleteJob, fetchResult } from "./api.js";
import { confirm } from "./confirm.js";
import { announce } from "./dom.js";
import { forget } from "./keepsakes.js";
import { Lens } from "./lens.js";
import { words } from "./words.js";

const THANKS_MS = 2_500;

/**
 * Gives the buttons of the easel their meaning.
 *
 * @param onAgain is told of the job that is to be painted with other settings.
 * @param onContent is given a painting as a file, to be painted itself.
 * @param onDeleted is told that the job is gone.
 */
export function offerDeeds(root, easel, { onAgain, onContent, onDeleted }) {
  const lens = new Lens(document.querySelector("#lens"));
  const on = (name, act) =>
    root.querySelector(name).addEventListener("click", async ({ currentTarget }) => {
      try {
        await act(currentTarget);
      } catch (error) {
        easel.blame(error.message);
      }
    });
  on(".closer", () => lens.open(easel.painting));
  on(".vary", () => onAgain(easel.job));
  on(".go-on", async () => onContent(await fetchResult(easel.job)));
  on(".link", (button) => copyLink(button, easel.job));
  on(".delete", async () => {
    const { job } = easel;
    if (await deleteForGood(job)) onDeleted(job);
  });
}

/** Has a job forgotten if somebody really means it; whether it was. */
export async function deleteForGood(job) {
  if (!(await confirm(document.querySelector("#confirm")))) return false;
  await deleteJob(job);
  await forget(job.id);
  announce(words.deleted);
  return true;
}

/** Copies the address of a job, or shows it where the browser does not let a page copy. */
async function copyLink(button, { id }) {
  const address = new URL(`/?job=${id}`, location.href).href;
  const shown = button.parentElement.querySelector(".address");
  try {
    await navigator.clipboard.writeText(address);
  } catch {
    Object.assign(shown, { value: address, hidden: false });
    return shown.select();
  }
  button.textContent = words.link.copied;
  announce(words.link.copied);
  setTimeout(() => (button.textContent = words.link.copy), THANKS_MS);
}
