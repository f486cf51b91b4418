/** Something that runs out, and knows its own place in the heap (-1 outside of it). */
export interface Expiring {
  readonly expires: number;
  place: number;
}

/** What runs out first, in logarithmic time; an item can be taken out from anywhere. */
export interface ExpiryHeap<T extends Expiring> {
  add(item: T): void;
  /** Take an item out; nothing happens when it is not in this heap. */
  remove(item: T): void;
  first(): T | undefined;
}

/** Make an empty heap: a binary one, in which every item knows where it sits. */
export function expiryHeap<T extends Expiring>(): ExpiryHeap<T> {
  const items: T[] = [];

  const put = (item: T, place: number): void => {
    items[place] = item;
    item.place = place;
  };
  const rise = (item: T): void => {
    let place = item.place;
    while (place > 0) {
      const parent = items[(place - 1) >> 1];
      if (!parent || parent.expires <= item.expires) break;
      const above = parent.place;
      put(parent, place);
      place = above;
    }
    put(item, place);
  };
  const sink = (item: T): void => {
    let place = item.place;
    for (;;) {
      const left = items[2 * place + 1];
      const right = items[2 * place + 2];
      const least = right && left && right.expires < left.expires ? right : left;
      if (!least || least.expires >= item.expires) break;
      const below = least.place;
      put(least, place);
      place = below;
    }
    put(item, place);
  };

  return {
    add(item) {
      put(item, items.length);
      rise(item);
    },
    remove(item) {
      const { place } = item;
      if (place < 0 || items[place] !== item) return;
      const last = items.pop();
      item.place = -1;
      if (last === undefined || last === item) return;
      put(last, place);
      rise(last);
      sink(last);
    },
    first: () => items[0],
  };
}
