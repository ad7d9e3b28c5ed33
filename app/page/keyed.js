// A list that is shown again and again: what is the same item stays the same element, so that the
// focus, and what somebody is reading, stay where they are.

/**
 * Brings a list's items up to date.
 *
 * @param list the element.
 * @param items what it is to show, in order.
 * @param key gives an item's name.
 * @param make gives a new element for an item.
 * @param update shows an item in its element.
 */
export function show(list, items, { key, make, update }) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const name = key(item);
    const child = before.get(name) ?? make(item);
    child.dataset.key = name;
    update(child, item);
    return child;
  });
  for (const child of [...list.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, place) => {
    if (list.children[place] !== child) list.insertBefore(child, list.children[place] ?? null);
  });
}

/** Writes a text if it is another one. */
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
