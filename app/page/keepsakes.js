// What this browser keeps of the jobs handed in here, so that a painting can be shown beside its
// photograph and be painted again: the service gives no uploaded picture back. Bounded, and
// forgotten with the job or on signing out. Where the browser keeps nothing, it lasts as long as
// the page.

const DATABASE = "atelier";
const STORE = "keepsakes";
const MOST = 40;
const MOST_BYTES = 300 * 2 ** 20;

/** The keepsake that is no job's: what lies in the studio. */
export const STUDIO = "studio";

const atHand = new Map();
let opened = null;

/**
 * Keeps pictures and settings under a job's id.
 *
 * @param pictures {content: File[], styles: File[], presets: names, params: settings by name}.
 */
export async function keep(id, pictures) {
  const bytes = [...pictures.content, ...pictures.styles].reduce((sum, { size }) => sum + size, 0);
  const keepsake = { ...pictures, id, bytes, at: Date.now() };
  atHand.set(id, keepsake);
  await ask("readwrite", (store) => store.put(keepsake));
  await dropOldest();
}

/** What was kept under a job's id, or undefined. */
export async function recall(id) {
  return atHand.get(id) ?? (await ask("readonly", (store) => store.get(id)));
}

/** Forgets what was kept under a job's id. */
export async function forget(id) {
  atHand.delete(id);
  await ask("readwrite", (store) => store.delete(id));
}

/** Forgets all. */
export async function forgetAll() {
  atHand.clear();
  await ask("readwrite", (store) => store.clear());
}

async function dropOldest() {
  const kept = (await ask("readonly", (store) => store.getAll())) ?? [];
  const newestFirst = kept.filter(({ id }) => id !== STUDIO).sort((one, other) => other.at - one.at);
  let bytes = 0;
  for (const [place, keepsake] of newestFirst.entries()) {
    bytes += keepsake.bytes;
    if (place >= MOST || bytes > MOST_BYTES) await forget(keepsake.id);
  }
}

/** Asks the browser's store; undefined where it keeps nothing, or is full. */
async function ask(mode, question) {
  try {
    opened ??= open();
    const store = (await opened).transaction(STORE, mode).objectStore(STORE);
    return await answerOf(question(store));
  } catch {
    return undefined;
  }
}

function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  return answerOf(request);
}

function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
