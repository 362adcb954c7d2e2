/**
 * Work whose every item is finished once: what earlier runs left in the ledger is kept, equal items are computed once, and every line is on
 * disk before the next is waited for. Stopped at any moment, the same call resumes from there.
 * May not know: what is computed.
 */
import type { Emitter, Unit } from "../records/events.js";
import { present } from "../util/errors.js";
import { computeMissing } from "../util/missing.js";
import { plural } from "../util/progress.js";
import type { Result } from "../util/result.js";

export interface ResumableWork<Item, Line extends { readonly key: string }, Found extends { readonly id: string }> {
  readonly items: readonly Item[];
  /** What items are, for those who watch. */
  readonly unit: Unit;
  /** Hash of everything that decides the item's line. */
  readonly key: (item: Item) => string;
  /** The name under which `compute` answers; no two items have the same. */
  readonly id: (item: Item) => string;
  /** A line of the ledger checked, or an exception with the reason. */
  readonly parse: (value: unknown) => Line;
  /**
   * One result an item, in any order; not called where nothing is missing.
   *
   * @param onTokens  told how many more ids went through the model
   */
  readonly compute: (missing: readonly Item[], onTokens: (count: number) => void) => AsyncIterable<Found>;
  readonly line: (key: string, found: Found, item: Item) => Line;
  /** Ids that went through the model for a result; absent where `compute` tells of them on the way. */
  readonly tokens?: (found: Found) => number;
}

export interface FinishedWork<Line> {
  /** Of each item, in their order. */
  readonly lines: readonly Line[];
  /** Computed by this run, by earlier ones, and not at all because an equal one was. Their sum is all items. */
  readonly counts: { readonly computed: number; readonly reused: number; readonly duplicates: number };
  /** That computing took. */
  readonly seconds: number;
}

const describeOthers = (count: number): string =>
  `the ledger holds ${plural(count, "result")} of other options, other input or an older version; they are not used`;

/**
 * @throws UserError  a result of other work is there, the ledger is damaged, or what `compute` and `line` throw
 */
export async function resumable<Item, Line extends { readonly key: string }, Found extends { readonly id: string }>(
  result: Result,
  say: Emitter,
  { items, unit, key, id, parse, compute, line, tokens: tokensOf = () => 0 }: ResumableWork<Item, Line, Found>,
): Promise<FinishedWork<Line>> {
  const keys = new Map(items.map((item) => [item, key(item)]));
  const keyOf = (item: Item): string => present(keys.get(item), "key");
  const wanted = [...keys.values()];
  const known = await result.finished(parse, wanted);
  const [total, reused] = [new Set(wanted).size, known.size()];
  if (known.others > 0) say.note(describeOthers(known.others));
  say.begin({ total, unit, reused });
  const started = performance.now();
  let tokens = 0;
  const onTokens = (count: number): void => {
    tokens += count;
    say.progress({ done: known.size(), tokens });
  };
  const computed = await computeMissing({
    items,
    key: keyOf,
    known: (name) => known.get(name) !== undefined,
    id,
    compute: (missing) => compute(missing, onTokens),
    async keep(name, found: Found, item) {
      await known.add(line(name, found, item));
      tokens += tokensOf(found);
      say.progress({ done: known.size(), tokens });
    },
  });
  return {
    lines: items.map((item) => present(known.get(keyOf(item)), id(item))),
    counts: { computed, reused, duplicates: items.length - total },
    seconds: (performance.now() - started) / 1000,
  };
}
