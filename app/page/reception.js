// Pictures that are dropped on the page or pasted into it, wherever that is.

/**
 * Receives files.
 *
 * @param receive is told of files, and of the element that they were aimed at.
 */
export function onPictures(receive) {
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault(); // also beside the pickers: the browser would leave for the file
    receive([...event.dataTransfer.files], event.target);
  });
  document.addEventListener("paste", ({ clipboardData: { files }, target }) => {
    if (files.length) receive([...files], target);
  });
}
