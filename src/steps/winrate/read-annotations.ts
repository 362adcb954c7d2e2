/**
 * Annotation files of any tool as a stream of rows: AlpacaEval's JSON array, JSON lines, or one model's annotations without their
 * texts. Checked row by row; a bad row stops the reading with its place.
 * May not know: what is made of the rows.
 */
import { extname } from "node:path";
import { z } from "zod";
import { readJson } from "../../data/formats/json-array.js";
import { readJsonl } from "../../data/formats/jsonl.js";
import { formatOrigin, type RawRecord } from "../../data/record.js";
import { annotationSchema } from "../../records/annotations.js";
import { compactAnnotationsSchema } from "../../records/length-control.js";
import { UserError } from "../../util/errors.js";
import { complaintOf } from "../../util/schema.js";

/** What a row must have; the rest may be absent or null, as in votes that people wrote down by hand. */
const name = z.string().nullish();
const rowSchema = annotationSchema.extend({
  generator_1: name,
  generator_2: name,
  annotator: name,
  dataset: name,
  reason: name,
});
export type AnnotationRow = z.infer<typeof rowSchema>;

/** One file's model without texts: instructions are known by their place alone. */
export interface CompactRow {
  readonly index: number;
  readonly preference: number | null;
  readonly lengthModel: number;
  readonly lengthBaseline: number;
}

export type AnnotationBatch =
  | { readonly kind: "rows"; readonly rows: readonly AnnotationRow[] }
  | {
      readonly kind: "compact";
      readonly model: string;
      readonly baseline: string;
      readonly annotator: string;
      readonly rows: readonly CompactRow[];
    };

/**
 * @param given  the rows themselves; `file` is then what they are called
 * @throws UserError  no such file, a row that is no annotation (with its place), or no row at all
 */
export async function* readAnnotations(file: string, given?: readonly unknown[]): AsyncGenerator<AnnotationBatch> {
  const source =
    given !== undefined
      ? recordsOf(file, given)
      : /^\.(jsonl|ndjson)$/.test(extname(file).toLowerCase())
        ? readJsonl(file)
        : readJson(file);
  let rows = 0;
  for await (const records of source) {
    const batch: AnnotationRow[] = [];
    for (const record of records) {
      if (rows + batch.length === 0 && isCompact(record)) {
        yield compactBatch(file, record);
        rows++;
        continue;
      }
      batch.push(checkedRow(record));
    }
    rows += batch.length;
    if (batch.length > 0) yield { kind: "rows", rows: batch };
  }
  if (rows === 0) throw new UserError(`${file} has no annotations`, { remedy: "name a file that tacit judge wrote" });
}

async function* recordsOf(file: string, given: readonly unknown[]): AsyncGenerator<RawRecord[]> {
  yield given.map((value, i) => ({ kind: "record", at: { file, line: i + 1, unit: "row" }, value }) as const);
}

function checkedRow(record: RawRecord): AnnotationRow {
  if (record.kind === "bad") throw new UserError(`${formatOrigin(record.at)}: ${record.reason}`);
  const parsed = rowSchema.safeParse(record.value);
  if (parsed.success) return parsed.data;
  throw new UserError(`${formatOrigin(record.at)}: no annotation: ${complaintOf(parsed.error)}`, {
    remedy: "a row has instruction, output_1, output_2 and preference (a number or null)",
  });
}

const isCompact = (record: RawRecord): boolean =>
  record.kind === "record" &&
  typeof record.value === "object" &&
  record.value !== null &&
  Array.isArray((record.value as { preference?: unknown }).preference);

function compactBatch(file: string, record: RawRecord): AnnotationBatch {
  const parsed = compactAnnotationsSchema.safeParse(record.kind === "record" ? record.value : undefined);
  if (!parsed.success) throw new UserError(`${file}: ${complaintOf(parsed.error)}`);
  const { model, baseline, annotator, preference, lenModel, lenBaseline, promptIndex } = parsed.data;
  const rows = preference.map((value, i) => ({
    index: promptIndex?.[i] ?? i,
    preference: value,
    lengthModel: lenModel[i] ?? 0,
    lengthBaseline: lenBaseline[i] ?? 0,
  }));
  return { kind: "compact", model, baseline, annotator, rows };
}
