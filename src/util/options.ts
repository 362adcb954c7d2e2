/**
 * What values an option takes, once: a test of the value and the words for it. The command line parses with the same ranges, and calls from
 * scripts are checked by tables of kinds, which the compiler holds complete.
 * May not know: any option.
 */
import { UserError, userErrorOf } from "./errors.js";
import { excerpt } from "./terminal.js";

export interface Range {
  /** Smallest allowed value. */
  readonly min?: number;
  /** Largest allowed value. */
  readonly max?: number;
  /** All values must be larger than this. */
  readonly above?: number;
}

export function within(value: number, { min, max, above }: Range): boolean {
  return (
    !(min !== undefined && value < min) &&
    !(max !== undefined && value > max) &&
    !(above !== undefined && value <= above)
  );
}

/** ` of 1 or more`, ` from 0 to 1`, ` above 0`. */
export function spoken({ min, max, above }: Range): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  const low = above === undefined ? (min === undefined ? "" : ` of ${min} or more`) : ` above ${above}`;
  return max === undefined ? low : `${low}${low === "" ? "" : ", and"} of at most ${max}`;
}

/** What an option takes. */
export interface Kind {
  /** Behind "give". */
  readonly wanted: string;
  readonly holds: (value: unknown) => boolean;
  /** It must be given. */
  readonly needed?: boolean;
}

/** A kind for every option of a call: one that is forgotten does not compile. */
export type KindsOf<Options> = { readonly [Name in keyof Required<Options>]: Kind };

export const whole = (range: Range = {}): Kind => ({
  wanted: `a whole number${spoken(range)}`,
  holds: (value) => Number.isSafeInteger(value) && within(Number(value), range),
});
export const decimal = (range: Range = {}): Kind => ({
  wanted: `a number${spoken(range)}`,
  holds: (value) => typeof value === "number" && Number.isFinite(value) && within(value, range),
});
export const flag: Kind = { wanted: "true or false", holds: (value) => typeof value === "boolean" };
export const anyText: Kind = { wanted: "a text", holds: (value) => typeof value === "string" };
export const text: Kind = {
  wanted: "a text that is not empty",
  holds: (value) => typeof value === "string" && value.trim() !== "",
};
export const oneOf = (...names: readonly string[]): Kind => ({
  wanted: names.join(" or "),
  holds: (value) => names.some((name) => name === value),
});
export const record = (wanted: string): Kind => ({
  wanted,
  holds: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
});
export const listOf = (kind: Kind, wanted = `a list, each ${kind.wanted}`): Kind => ({
  wanted,
  holds: (value) => Array.isArray(value) && value.every(kind.holds),
});
export const either = (a: Kind, b: Kind): Kind => ({
  wanted: `${a.wanted}, or ${b.wanted}`,
  holds: (value) => a.holds(value) || b.holds(value),
});
export const call: Kind = { wanted: "a function", holds: (value) => typeof value === "function" };
export const needed = (kind: Kind): Kind => ({ ...kind, needed: true });

/**
 * @param what  the call, as in `generate`
 * @throws UserError  options are no object, one is unknown, missing, or of a value that it does not take
 */
export function checkOptions<Options>(what: string, kinds: KindsOf<Options>, options: unknown): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new UserError(`${what}: options are ${shown(options)}`, { remedy: "give an object" });
  }
  const given = options as Readonly<Record<string, unknown>>;
  const names = Object.keys(kinds);
  for (const name of Object.keys(given)) if (!Object.hasOwn(kinds, name)) refuseUnknown(what, name, names);
  for (const [name, kind] of Object.entries<Kind>(kinds)) {
    const value = given[name];
    if (value === undefined && kind.needed !== true) continue;
    if (!kind.holds(value)) {
      const found = value === undefined ? "missing" : shown(value);
      throw new UserError(`${name} is ${found}`, { remedy: `give ${kind.wanted}` });
    }
  }
}

function refuseUnknown(what: string, name: string, names: readonly string[]): never {
  const near = closest(name, names);
  throw new UserError(`${what} has no option "${excerpt(name, 60)}"`, {
    remedy: near === undefined ? `it has ${names.join(", ")}` : `did you mean "${near}"?`,
  });
}

const shown = (value: unknown): string => {
  if (typeof value === "string") return `"${excerpt(value, 60)}"`;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
};

/** The name that takes the fewest changed letters, where it is no more than a third of them. */
export function closest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(name).slice(0, 60);
  const [best] = names
    .map((candidate) => ({ candidate, changes: changesBetween(wanted, plain(candidate)) }))
    .sort((a, b) => a.changes - b.changes);
  return best !== undefined && best.changes <= Math.max(1, Math.floor(wanted.length / 3)) ? best.candidate : undefined;
}

/** Letters put in, taken out or exchanged (Levenshtein), a row of the table at a time. */
function changesBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(same, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Makes what the system says of a file or of memory the user's error, as the command line does. */
export async function withUserErrors<T>(work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw userErrorOf(error) ?? error;
  }
}

/**
 * A function for scripts: its options and its watch are checked before anything is done.
 *
 * @param watch  what the second argument may hold
 */
export function checkedCall<Options, Watch, Result>(
  what: string,
  kinds: KindsOf<Options>,
  watch: KindsOf<Watch>,
  run: (options: Options, watch?: Watch) => Promise<Result>,
): (options: Options, watch?: Watch) => Promise<Result> {
  return (options, watching) =>
    withUserErrors(() => {
      checkOptions(what, kinds, options);
      if (watching !== undefined) checkOptions(`${what}, second argument`, watch, watching);
      return run(options, watching);
    });
}
