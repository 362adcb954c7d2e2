/**
 * Calls from scripts: their options are checked before anything is done.
 * May not know: any option.
 */
import { UserError, userErrorOf } from "./errors.js";
import { isObject } from "./json.js";
import { closest } from "./nearest.js";
import type { Kind, KindsOf } from "./option-kinds.js";
import { excerpt } from "./terminal.js";
import { option, words } from "./words.js";

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
      throw new UserError(words`${option(name)} is ${found}`, { remedy: `give ${kind.wanted}` });
    }
  }
}

function refuseUnknown(what: string, name: string, names: readonly string[]): never {
  const near = closest(name, names);
  throw new UserError(`${what} has no option "${excerpt(name, 60)}"`, {
    remedy: near === undefined ? `it has ${names.join(", ")}` : `did you mean "${near}"?`,
  });
}

/** A value for a message: what it is, or its kind. */
export const shown = (value: unknown): string => {
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
