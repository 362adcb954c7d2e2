/**
 * A table of options: each is defined once, and all that is said of it elsewhere comes from here. The flag and its help, the key in a
 * study, the type and the check of a call from a script, the default, the key in a record, the row in the guide.
 * May not know: any option, any surface.
 */
import { type Kind, readText } from "./option-kinds.js";

export interface Entry<T = unknown> {
  readonly type: Kind<T>;
  /** What it is, for a person, without the default. `{word}` stands for something that only a surface knows. */
  readonly help: string;
  /** Its name on the command line and in files, in kebab-case, where that is another than the name in scripts: `lr`. */
  readonly flag?: string;
  /** Stands for the value in a usage line: `n` in `--batch <n>`. */
  readonly takes?: string;
  readonly default?: T;
  /** The default by the name of the preset, which is an option of the same table. */
  readonly presets?: Readonly<Record<string, T>>;
  /** What holds where it is not given, in words: in place of the default, or of one that only the work itself knows. */
  readonly unless?: string;
  /** It must be given; on the command line alone, where a script may do without. */
  readonly needed?: true | "command";
  /** A result does not depend on it. */
  readonly decides?: false;
  /** Scripts have other means, as a summary for `--json`, or another type. */
  readonly only?: "command";
  /** It stands on the command line without a name; there may be several where it is a list. */
  readonly argument?: true;
}
export type Entries = Readonly<Record<string, Entry>>;

type TypeOf<E> = E extends { readonly type: Kind<infer T> } ? T : never;
type Names<Table, Like> = { [Name in keyof Table]: Table[Name] extends Like ? Name : never }[keyof Table];
type OfScripts<Table> = Exclude<keyof Table, Names<Table, { readonly only: "command" }>>;
type NeededIn<Table> = Names<Table, { readonly needed: true }>;
type PresetIn<Table> = Names<Table, { readonly presets: unknown }>;
type DefaultedIn<Table> = Names<Table, { readonly default: unknown }> | PresetIn<Table>;

/** The options of a call from a script. */
export type OptionsOf<Table> = {
  readonly [Name in Extract<OfScripts<Table>, NeededIn<Table>>]: TypeOf<Table[Name]>;
} & { readonly [Name in Exclude<OfScripts<Table>, NeededIn<Table>>]?: TypeOf<Table[Name]> };

/** Those that always have a value once defaults are filled in. */
export type Defaulted<Table> = {
  readonly [Name in Extract<OfScripts<Table>, DefaultedIn<Table>>]: TypeOf<Table[Name]>;
};

type Written<T> = Extract<T, string | number | boolean | readonly (string | number)[]>;
/** What is written in text of it: a template is named. */
type WrittenOf<E> = [Written<TypeOf<E>>] extends [never] ? string : Written<TypeOf<E>>;
type GivenIn<Table> =
  | DefaultedIn<Table>
  | Names<Table, { readonly needed: true }>
  | Names<Table, { readonly needed: "command" }>;
type FlagsIn<Table> = Exclude<keyof Table, Names<Table, { readonly argument: true }>>;

/** The flags of a command, as the command line gives them. A preset's defaults are filled in later. */
export type FlagsOf<Table> = {
  readonly [Name in Exclude<Extract<FlagsIn<Table>, GivenIn<Table>>, PresetIn<Table>>]: WrittenOf<Table[Name]>;
} & {
  readonly [Name in Exclude<FlagsIn<Table>, GivenIn<Table>> | Extract<FlagsIn<Table>, PresetIn<Table>>]?: WrittenOf<
    Table[Name]
  >;
};

type Snake<Text extends string> = Text extends `${infer First}${infer Others}`
  ? First extends "-"
    ? `_${Snake<Others>}`
    : `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Others>}`
  : Text;
type KeyOf<Name, E> = Snake<E extends { readonly flag: infer Flag extends string } ? Flag : Name & string>;
type Spelt<E> = E extends { readonly type: { readonly lower: true } } ? Lowercase<TypeOf<E> & string> : WrittenOf<E>;

/** Options as a file has them: in snake_case, none of them needed. */
export type SettingsOf<Table> = {
  [Name in OfScripts<Table> as KeyOf<Name, Table[Name]>]?: Spelt<Table[Name]> | undefined;
};

/** The table as it is; a default that its own option would refuse does not compile. */
export const defineOptions = <const Table extends { readonly [Name in keyof Table]: Entry<TypeOf<Table[Name]>> }>(
  table: Table,
): Table => table;

const entriesOf = (table: Entries): [string, Entry][] => Object.entries(table);

/** `microTokens`, and `lr` for `learningRate`, as `micro-tokens`. */
export const flagName = (name: string, { flag }: Pick<Entry, "flag"> = {}): string =>
  flag ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** As a file on disk has it: `micro_tokens`. */
export const keyName = (name: string, entry?: Pick<Entry, "flag">): string =>
  flagName(name, entry).replaceAll("-", "_");

/** `--micro-tokens`, and `--no-shuffle` where it is on unless somebody says so. */
export const flagOf = (name: string, entry: Pick<Entry, "flag" | "default">): string =>
  `--${entry.default === true ? "no-" : ""}${flagName(name, entry)}`;

/** A value as it is written in text: `f32` for `F32`. */
export const written = ({ type }: Partial<Entry>, value: unknown): string =>
  type?.form?.form === "choice" && type.form.lower ? String(value).toLowerCase() : String(value);

/** The default of an option under a preset, or nothing where only the work itself knows one. */
const defaultOf = ({ default: value, presets }: Entry, preset: unknown): unknown =>
  presets === undefined ? value : presets[String(preset)];

/** The options with every default filled in. One that is `undefined` counts as not given. */
export function withDefaults<Table extends Entries, Given extends object>(
  table: Table,
  given: Given,
): Given & Defaulted<Table> {
  const of = (name: string): unknown => Reflect.get(given, name);
  const preset = of("preset") ?? table.preset?.default;
  const filled = entriesOf(table).flatMap(([name, entry]) => {
    const value = of(name) ?? defaultOf(entry, preset);
    return value === undefined || entry.only === "command" ? [] : [[name, value] as const];
  });
  return { ...given, ...Object.fromEntries(filled) } as Given & Defaulted<Table>;
}

/** The default in words, for help texts and the guide: `2048`, `"cosine; reference: linear"`. */
export function spokenDefault(entry: Entry): string | undefined {
  const { unless, presets, default: value } = entry;
  if (unless !== undefined) return unless;
  if (value === false) return "off";
  if (typeof value === "string") return JSON.stringify(written(entry, value));
  if (presets === undefined) return value === undefined ? undefined : JSON.stringify(value);
  const [[, first] = [], ...others] = Object.entries(presets);
  const differing = others
    .filter(([, other]) => other !== first)
    .map(([preset, other]) => `; ${preset}: ${String(other)}`);
  return `${String(first)}${differing.join("")}`;
}

/** What a call from a script takes, by name. */
export const kindsOf = <Table extends Entries>(
  table: Table,
): { readonly [Name in OfScripts<Table>]: Kind<TypeOf<Table[Name]>> } =>
  Object.fromEntries(
    entriesOf(table)
      .filter(([, { only }]) => only === undefined)
      .map(([name, { type, needed }]) => [name, needed === true ? { ...type, needed } : type]),
  ) as never;

/** Of all that was given, the options of this table that scripts have. */
export const valuesOf = <Table extends Entries, Given extends object>(
  table: Table,
  given: Given,
): Pick<Given, Extract<keyof Given, OfScripts<Table>>> =>
  Object.fromEntries(
    Object.entries(given).filter(
      ([name, value]) => value !== undefined && name in table && table[name]?.only === undefined,
    ),
  ) as Pick<Given, Extract<keyof Given, OfScripts<Table>>>;

/** Some of a table, in the order of the names. */
export const pick = <Table extends Entries, const Names extends readonly (keyof Table & string)[]>(
  table: Table,
  ...names: Names
): Pick<Table, Names[number]> =>
  Object.fromEntries(names.map((name) => [name, table[name]])) as Pick<Table, Names[number]>;

/** A table without some. */
export const omit = <Table extends Entries, const Names extends readonly (keyof Table)[]>(
  table: Table,
  ...names: Names
): Omit<Table, Names[number]> =>
  Object.fromEntries(Object.entries(table).filter(([name]) => !names.includes(name))) as Omit<Table, Names[number]>;

type RecordedOf<Table, Values> = {
  [Name in OfScripts<Table> as KeyOf<Name, Table[Name]>]: Name extends keyof Values
    ? Exclude<Values[Name], undefined> | (undefined extends Values[Name] ? null : never)
    : null;
};

/** As a record has them: by the names of files, null where nothing was said. */
export const recorded = <Table extends Entries, Values extends object>(
  table: Table,
  values: Values,
): RecordedOf<Table, Values> =>
  Object.fromEntries(
    entriesOf(table).flatMap(([name, entry]) =>
      entry.only === "command" ? [] : [[keyName(name, entry), Reflect.get(values, name) ?? null]],
    ),
  ) as RecordedOf<Table, Values>;

/** The options that a file's settings mean. One that is `undefined` is not given. */
export function optionsIn<Table extends Entries>(table: Table, settings: SettingsOf<Table>): Partial<OptionsOf<Table>> {
  const given = entriesOf(table).flatMap(([name, entry]) => {
    const value: unknown = Reflect.get(settings, keyName(name, entry));
    const { form } = entry.type;
    const plain = form?.form === "choice" && typeof value === "string" ? readText(form, value) : value;
    return plain === undefined ? [] : [[name, plain]];
  });
  return Object.fromEntries(given) as Partial<OptionsOf<Table>>;
}

/** Of settings in a file, or of options, those that a result depends on. */
export const deciding = <Values extends object>(table: Entries, values: Values): Partial<Values> => {
  const idle = new Set(
    entriesOf(table).flatMap(([name, entry]) => (entry.decides === false ? [name, keyName(name, entry)] : [])),
  );
  return Object.fromEntries(Object.entries(values).filter(([name]) => !idle.has(name))) as Partial<Values>;
};
