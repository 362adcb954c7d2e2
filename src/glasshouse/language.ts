/**
 * The little English grammar that every page of the world is written with.
 * May not know: the world.
 */

import { present } from "../util/errors.js";
import type { RandomStream } from "../util/random.js";

/** One of `items`. */
export const pick = <T>(random: RandomStream, items: readonly T[]): T =>
  present(items[random.integer(items.length)], "one of no items");

/** `count` different ones of `items`, in random order; all of them where there are fewer. */
export const sample = <T>(random: RandomStream, items: readonly T[], count: number): T[] =>
  random.shuffle(items).slice(0, count);

/** True with probability `share`. */
export const chance = (random: RandomStream, share: number): boolean => random.uniform() < share;

/** One of the names, each as often as its share of all shares says. */
export function pickByShare<Name extends string>(
  random: RandomStream,
  shares: readonly (readonly [name: Name, share: number])[],
): Name {
  let left = random.uniform() * shares.reduce((sum, [, share]) => sum + share, 0);
  const chosen = shares.find(([, share]) => {
    left -= share;
    return left < 0;
  });
  return present(chosen ?? shares.at(-1), "one of no names")[0]; // rounding may leave a trace of the last share
}

/** "a spoon", "an oven". */
export const withArticle = (noun: string): string => `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;

/** "a, b and c". */
export const enumerate = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;

export const capitalise = (text: string): string => (text[0] ?? "").toUpperCase() + text.slice(1);

/** "teachers", "dishes", "cherries". */
export function plural(noun: string): string {
  if (/(s|x|ch|sh)$/.test(noun)) return `${noun}es`;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  if (/(man)$/.test(noun)) return `${noun.slice(0, -2)}en`;
  return `${noun}s`;
}

const NUMBERS = "no one two three four five six seven eight nine ten eleven twelve".split(" ");

/** "three"; digits above twelve. */
export const numberWord = (n: number): string => NUMBERS[n] ?? String(n);

/** Fills `{name}` with its value; `{a name}` with its article; `{Name}` begins with a capital. Unknown names are our mistake. */
export function fill(pattern: string, values: Readonly<Record<string, string>>): string {
  return pattern.replace(/\{(a )?(\w+)\}/g, (_, article: string | undefined, name: string) => {
    const key = name[0]?.toLowerCase() + name.slice(1);
    const value = present(values[key], `{${name}} in "${pattern}"`);
    const phrase = article === undefined ? value : withArticle(value);
    return name === key ? phrase : capitalise(phrase);
  });
}
