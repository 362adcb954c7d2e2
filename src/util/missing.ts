/**
 * Asks for what is not known yet: equal keys once, whoever asks for them, so that equal work ties exactly.
 * May not know: what is computed, where it is kept.
 */
import { invariant } from "./errors.js";

export interface Asking<Item, Found extends { readonly id: string }> {
  readonly items: readonly Item[];
  /** Hash of everything that decides what is found. */
  readonly key: (item: Item) => string;
  readonly known: (key: string) => boolean;
  /** Under which what is found comes back; no two items have the same. @param place  among those that are computed */
  readonly id: (item: Item, place: number) => string;
  /** One result an item, in any order. */
  readonly compute: (missing: readonly Item[]) => AsyncIterable<Found>;
  /** Waited for before the next result is taken. */
  readonly keep: (key: string, found: Found, item: Item) => Promise<void> | void;
}

/** @returns how many were computed; the others were known */
export async function computeMissing<Item, Found extends { readonly id: string }>({
  items,
  key,
  known,
  id,
  compute,
  keep,
}: Asking<Item, Found>): Promise<number> {
  const missing = new Map<string, Item>();
  for (const item of items) {
    const name = key(item);
    if (!known(name) && !missing.has(name)) missing.set(name, item);
  }
  if (missing.size === 0) return 0;
  const waiting = new Map([...missing].map(([name, item], place) => [id(item, place), { name, item }]));
  invariant(waiting.size === missing.size, `${missing.size} items have ${waiting.size} names`);
  for await (const found of compute([...missing.values()])) {
    const asked = waiting.get(found.id);
    invariant(asked !== undefined, `${found.id} came back, which was not asked for or came back before`);
    const { name, item } = asked;
    waiting.delete(found.id);
    await keep(name, found, item);
  }
  invariant(waiting.size === 0, `${waiting.size} of ${missing.size} were left without a result and without a word`);
  return missing.size;
}
