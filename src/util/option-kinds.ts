/**
 * What values an option takes, once: a test of the value, the words for it, and how it is written. Calls from scripts are checked by it,
 * command lines and files are read by it.
 * May not know: any option.
 */
import { isObject } from "./json.js";

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

/** How a value is written where there is only text: on the command line, and in files that people write. */
export type Form =
  | { readonly form: "whole" | "decimal"; readonly range: Range }
  | { readonly form: "flag" }
  | { readonly form: "text"; readonly empty: boolean }
  /** @param lower  written in lower case, whatever scripts say */
  | { readonly form: "choice"; readonly names: readonly string[]; readonly lower: boolean }
  | { readonly form: "list"; readonly of: Form }
  | { readonly form: "either"; readonly forms: readonly Form[] };

/** What an option takes. */
export interface Kind<T = unknown> {
  /** Behind "give". */
  readonly wanted: string;
  readonly holds: (value: unknown) => value is T;
  /** It must be given. */
  readonly needed?: boolean;
  /** Absent: only scripts can give it. */
  readonly form?: Form;
}

/** A kind for every option of a call: one that is forgotten does not compile. */
export type KindsOf<Options> = { readonly [Name in keyof Required<Options>]: Kind };

export const whole = (range: Range = {}): Kind<number> => ({
  wanted: `a whole number${spoken(range)}`,
  holds: (value): value is number => Number.isSafeInteger(value) && within(Number(value), range),
  form: { form: "whole", range },
});
export const decimal = (range: Range = {}): Kind<number> => ({
  wanted: `a number${spoken(range)}`,
  holds: (value): value is number => typeof value === "number" && Number.isFinite(value) && within(value, range),
  form: { form: "decimal", range },
});
export const flag: Kind<boolean> = {
  wanted: "true or false",
  holds: (value) => typeof value === "boolean",
  form: { form: "flag" },
};
export const anyText: Kind<string> = {
  wanted: "a text",
  holds: (value) => typeof value === "string",
  form: { form: "text", empty: true },
};
export const text: Kind<string> = {
  wanted: "a text that is not empty",
  holds: (value): value is string => typeof value === "string" && value.trim() !== "",
  form: { form: "text", empty: false },
};
export const oneOf = <const Names extends readonly string[]>(...names: Names): Kind<Names[number]> => ({
  wanted: names.join(" or "),
  holds: (value): value is Names[number] => names.some((name) => name === value),
  form: { form: "choice", names, lower: false },
});
/** Names that people write in lower case: `F32` in scripts, `f32` on the command line and in files. */
export const lowerCase = <T extends string>(kind: Kind<T>): Kind<T> & { readonly lower: true } => ({
  ...kind,
  lower: true,
  ...(kind.form?.form === "choice" ? { form: { ...kind.form, lower: true } } : {}),
});
export const record = <T extends object = object>(wanted: string): Kind<T> => ({
  wanted,
  holds: (value): value is T => isObject(value),
});
/** An object that holds what is needed of these, each of its kind; it may have more, as an object with methods has. */
export const having = <T extends object>(kinds: Readonly<Record<string, Kind>>, wanted: string): Kind<T> => ({
  wanted,
  holds: (value): value is T =>
    isObject(value) &&
    Object.entries(kinds).every(([name, kind]) => {
      const found = value[name];
      return found === undefined ? kind.needed !== true : kind.holds(found);
    }),
});
/** `having`, and nothing else: a name that is misspelt would be left aside in silence. */
export const shaped = <T extends object>(kinds: Readonly<Record<string, Kind>>, wanted = ""): Kind<T> => {
  const { holds } = having<T>(kinds, wanted);
  return {
    wanted,
    holds: (value): value is T => holds(value) && Object.keys(value).every((name) => Object.hasOwn(kinds, name)),
  };
};
/** An object whose every value is of a kind, whatever the names. */
export const namedBy = <T>(kind: Kind<T>, wanted: string): Kind<Readonly<Record<string, T>>> => ({
  wanted,
  holds: (value): value is Readonly<Record<string, T>> => isObject(value) && Object.values(value).every(kind.holds),
});
export const listOf = <T>(kind: Kind<T>, wanted = `a list, each ${kind.wanted}`): Kind<readonly T[]> => ({
  wanted,
  holds: (value): value is readonly T[] => Array.isArray(value) && value.every(kind.holds),
  ...(kind.form === undefined ? {} : { form: { form: "list", of: kind.form } as const }),
});
/** Written as whichever of the two can be written. */
export const either = <A, B>(a: Kind<A>, b: Kind<B>): Kind<A | B> => {
  const forms = [a.form, b.form].filter((form) => form !== undefined);
  const [first, second] = forms;
  return {
    wanted: `${a.wanted}, or ${b.wanted}`,
    holds: (value): value is A | B => a.holds(value) || b.holds(value),
    ...(first === undefined ? {} : { form: second === undefined ? first : { form: "either", forms } }),
  };
};
export const call: Kind<(...args: never[]) => unknown> = {
  wanted: "a function",
  holds: (value): value is (...args: never[]) => unknown => typeof value === "function",
};
export const needed = <T>(kind: Kind<T>): Kind<T> => ({ ...kind, needed: true });

/**
 * The value that a text stands for, or nothing where it is none of the form. Whole numbers are written in digits, others as `0.1`, `.5`,
 * `1e-5`; `1_000`, `0x10` and what is too large to be exact are none.
 */
export function readText(form: Form, text: string): unknown {
  switch (form.form) {
    case "whole": {
      const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
      return Number.isSafeInteger(value) && within(value, form.range) ? value : undefined;
    }
    case "decimal": {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
      return Number.isFinite(value) && within(value, form.range) ? value : undefined;
    }
    case "flag":
      return { true: true, false: false }[text];
    case "text":
      return text;
    case "choice":
      return form.names.find((name) => (form.lower ? name.toLowerCase() : name) === text);
    case "list": {
      const values = text.split(",").map((part) => readText(form.of, part));
      return values.includes(undefined) ? undefined : values;
    }
    case "either":
      return form.forms.map((one) => readText(one, text)).find((value) => value !== undefined);
    default:
      return form satisfies never;
  }
}
