/**
 * Options in files that people write: a schema out of a table, which refuses in the words of the table.
 * May not know: any option.
 */
import { z } from "zod";
import { shown } from "../util/check-options.js";
import { closest } from "../util/nearest.js";
import type { Form, Kind, Range } from "../util/option-kinds.js";
import { type Entries, keyName, type SettingsOf } from "../util/options.js";

type Shape<Settings> = { [Key in keyof Settings]-?: z.ZodOptional<z.ZodType<Exclude<Settings[Key], undefined>>> };

/** Of every option of the table, by its name in files; none must be given. */
export const settingsShape = <Table extends Entries>(table: Table): Shape<SettingsOf<Table>> =>
  Object.fromEntries(
    Object.entries(table).map(([name, entry]) => [
      keyName(name, entry),
      schemaOf(entry.type.form ?? TEXT, refusal(entry.type))
        .optional()
        .describe(entry.help),
    ]),
  ) as unknown as Shape<SettingsOf<Table>>;

const TEXT: Form = { form: "text", empty: false };

/** What zod asks for the words of a complaint. */
type Refusal = (issue: { readonly input?: unknown }) => string;

const refusal =
  ({ form, wanted }: Kind): Refusal =>
  ({ input }) =>
    `${shown(input)}; give ${form?.form === "choice" ? namesIn(form).join(" or ") : wanted}`;

const namesIn = ({ names, lower }: Extract<Form, { form: "choice" }>): string[] =>
  names.map((name) => (lower ? name.toLowerCase() : name));

function schemaOf(form: Form, error: Refusal): z.ZodType {
  switch (form.form) {
    case "whole":
      return ranged(z.number({ error }).int({ error }), form.range, error);
    case "decimal":
      return ranged(z.number({ error }), form.range, error);
    case "flag":
      return z.boolean({ error });
    case "text":
      return form.empty ? z.string({ error }) : z.string({ error }).min(1, { error });
    case "choice":
      return z.enum(namesIn(form), { error });
    case "list":
      return z.array(schemaOf(form.of, error), { error }).min(1, { error });
    case "either":
      return z.union(
        form.forms.map((one) => schemaOf(one, error)),
        { error },
      );
    default:
      return form satisfies never;
  }
}

function ranged(schema: z.ZodNumber, { min, max, above }: Range, error: Refusal): z.ZodNumber {
  const low = min === undefined ? schema : schema.min(min, { error });
  const lower = above === undefined ? low : low.gt(above, { error });
  return max === undefined ? lower : lower.max(max, { error });
}

/**
 * An object of these keys alone; what it says of another names the one that was meant.
 *
 * @param tables  whose options may stand in it, by the name in scripts as well: `learning_rate` where files say `lr`
 */
export const strictSettings =
  (tables: readonly Entries[]) =>
  <Keys extends z.core.$ZodLooseShape>(shape: Keys): z.ZodObject<Keys, z.core.$strict> =>
    z.strictObject(shape, {
      error(issue) {
        if (issue.code !== "unrecognized_keys") return undefined;
        const { inst } = issue;
        const [unknown = ""] = issue.keys as readonly string[];
        const keys = inst instanceof z.ZodObject ? Object.keys(inst.shape) : [];
        const meant = new Map(keys.map((key) => [key, key]));
        for (const [name, entry] of tables.flatMap((table) => Object.entries(table))) {
          const key = keyName(name, entry);
          if (entry.flag !== undefined && keys.includes(key)) meant.set(keyName(name), key);
        }
        const near = meant.get(closest(unknown, [...meant.keys()]) ?? "");
        return near === undefined ? undefined : `did you mean "${near}"?`;
      },
    });
