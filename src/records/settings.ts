/**
 * Options in files that people write: a schema out of a table.
 * May not know: any option.
 */
import { z } from "zod";
import type { Form, Range } from "../util/option-kinds.js";
import { type Entries, keyName, type SettingsOf } from "../util/options.js";

type Shape<Settings> = { [Key in keyof Settings]-?: z.ZodOptional<z.ZodType<Exclude<Settings[Key], undefined>>> };

/** Of every option of the table, by its name in files; none must be given. */
export const settingsShape = <Table extends Entries>(table: Table): Shape<SettingsOf<Table>> =>
  Object.fromEntries(
    Object.entries(table).map(([name, entry]) => {
      const { type, help } = entry;
      return [
        keyName(name, entry),
        schemaOf(type.form ?? TEXT)
          .optional()
          .describe(help),
      ];
    }),
  ) as unknown as Shape<SettingsOf<Table>>;

const TEXT: Form = { form: "text", empty: false };

function schemaOf(form: Form): z.ZodType {
  switch (form.form) {
    case "whole":
      return ranged(z.number().int(), form.range);
    case "decimal":
      return ranged(z.number(), form.range);
    case "flag":
      return z.boolean();
    case "text":
      return form.empty ? z.string() : z.string().min(1);
    case "choice":
      return z.enum(form.names.map((name) => (form.lower ? name.toLowerCase() : name)));
    case "list":
      return z.array(schemaOf(form.of)).min(1);
    case "either":
      return z.union(form.forms.map(schemaOf));
    default:
      return form satisfies never;
  }
}

function ranged(schema: z.ZodNumber, { min, max, above }: Range): z.ZodNumber {
  const low = min === undefined ? schema : schema.min(min);
  const lower = above === undefined ? low : low.gt(above);
  return max === undefined ? lower : lower.max(max);
}
