/** Rows and instructions of invented words. May not know: what is measured. */
import { writeFileSync } from "node:fs";
import { randomStream } from "../src/util/random.js";

const syllables = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu sta tre bli cro shu".split(" ");
/** Words in a text, the least and the most. */
type Length = readonly [number, number];

/** JSON lines of `{instruction, response}`, drawn so that few words are common and many are rare. Returns the path. */
export function madeUpRows(
  path: string,
  count: number,
  words: { readonly instruction: Length; readonly response: Length } = { instruction: [5, 25], response: [10, 150] },
): string {
  const random = randomStream(0, "bench: words");
  const pick = (items: readonly string[], share: number) => items[Math.floor(share * items.length)];
  const word = () => Array.from({ length: 1 + random.integer(4) }, () => pick(syllables, random.uniform())).join("");
  const lexicon = Array.from({ length: 5000 }, word);
  const text = ([least, most]: Length) =>
    Array.from({ length: least + random.integer(most - least + 1) }, () => pick(lexicon, random.uniform() ** 3)).join(
      " ",
    );
  const line = () =>
    JSON.stringify({ instruction: `${text(words.instruction)}?`, response: `${text(words.response)}.` });
  writeFileSync(path, `${Array.from({ length: count }, line).join("\n")}\n`);
  return path;
}
