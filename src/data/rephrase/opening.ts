/**
 * How a response begins: its first sentence or announcement, and what is left without it.
 * May not know: instructions, models, files.
 */

export interface Opening {
  /** Without white space at its ends. */
  readonly text: string;
  /** The response behind it, its first line's white space taken off. Empty where there is nothing behind it. */
  readonly rest: string;
}

/** Fewer words than this ("Sure!", "Of course:") take the next sentence of the line with them. */
const SHORTEST = 4;
/** Sentences end at a stop or a colon before white space, and with their line. */
const END = /[.!?:](?=\s|$)/g;
export const WORD = /[\p{L}\p{N}]+(?:['’]\p{L}+)?/gu;

export function openingOf(response: string): Opening {
  const start = response.length - response.trimStart().length;
  const breaks = response.slice(start).search(/[\r\n]/);
  const line = breaks === -1 ? response.slice(start) : response.slice(start, start + breaks);
  let end = line.length;
  for (const { index } of line.matchAll(END)) {
    end = index + 1;
    if ((line.slice(0, end).match(WORD) ?? []).length >= SHORTEST) break;
    end = line.length;
  }
  return { text: line.slice(0, end).trim(), rest: response.slice(start + end).trimStart() };
}
