/**
 * What values an option takes, once: a test of the value and the words for it. The command line parses with the same ranges, and calls from
 * scripts are checked by tables of kinds, which the compiler holds complete.
 * May not know: any option.
 */
import { UserError, userErrorOf } from "./errors.js";
import { isObject } from "./json.js";
import { closest } from "./nearest.js";
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
  holds: isObject,
});
/** An object that holds what is needed of these, each of its kind; it may have more, as an object with methods has. */
export const having = (kinds: Readonly<Record<string, Kind>>, wanted: string): Kind => ({
  wanted,
  holds: (value) =>
    isObject(value) &&
    Object.entries(kinds).every(([name, kind]) => {
      const found = value[name];
      return found === undefined ? kind.needed !== true : kind.holds(found);
    }),
});
/** `having`, and nothing else: a name that is misspelt would be left aside in silence. */
export const shaped = (kinds: Readonly<Record<string, Kind>>, wanted = ""): Kind => {
  const holds = having(kinds, wanted).holds;
  return {
    wanted,
    holds: (value) => holds(value) && Object.keys(Object(value)).every((name) => Object.hasOwn(kinds, name)),
  };
};
/** An object whose every value is of a kind, whatever the names. */
export const namedBy = (kind: Kind, wanted: string): Kind => ({
  wanted,
  holds: (value) => isObject(value) && Object.values(value).every(kind.holds),
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
  if (!isObject(options)) {
    throw new UserError(`${what}: options are ${shown(options)}`, { remedy: "give an object" });
  }
  const names = Object.keys(kinds);
  for (const name of Object.keys(options)) if (!Object.hasOwn(kinds, name)) refuseUnknown(what, name, names);
  for (const [name, kind] of Object.entries<Kind>(kinds)) {
    const value = options[name];
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
  if (typeof value !== "object" || value === null) return excerpt(String(value), 60);
  return Array.isArray(value) ? "a list" : "an object";
};

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
