// Asks before what cannot be taken back.

/** Whether somebody says yes in a dialog that has one button for it, and one against. */
export function confirm(dialog) {
  const over = new AbortController();
  return new Promise((resolve) => {
    const end = (answer) => {
      over.abort();
      dialog.close();
      resolve(answer);
    };
    const until = { signal: over.signal };
    dialog.querySelector(".yes").addEventListener("click", () => end(true), until);
    dialog.querySelector(".no").addEventListener("click", () => end(false), until);
    dialog.addEventListener("cancel", () => end(false), until);
    dialog.showModal();
    dialog.querySelector(".no").focus();
  });
}
