/**
 * Examples to certified rows, one at a time: what `tacit render` writes and `tacit tune` trains on.
 * May not know: which data set the examples come from, engines, the command line.
 */

import { createHash } from "node:crypto";
import { renderOptions } from "../options/render.js";
import type { Template } from "../options/template.js";
import type { Certificate } from "../records/certificate.js";
import type { Example } from "../records/example.js";
import { type Row, toRowRecord } from "../records/row.js";
import { type Certifier, createCertifier } from "../text/certificate.js";
import { bosOf, type Objective, renderExample, renderPrompt, supervisedTokens } from "../text/render.js";
import { templateText } from "../text/template.js";
import type { TextModel } from "../text/tokenizer.js";
import { UserError } from "../util/errors.js";
import { type OptionsOf, pick, withDefaults } from "../util/options.js";
import { openResult } from "../util/result.js";
import { option, words } from "../util/words.js";

const table = pick(renderOptions, "bos", "maxLength", "skipEmpty");

export interface RenderRequest extends OptionsOf<typeof table> {
  readonly model: TextModel;
  readonly template: Template;
  readonly objective: Objective;
}

/** Examples from a loader (a stream) or from memory. */
export type Examples = AsyncIterable<Example> | Iterable<Example>;

/** The certifier that goes with a request; pass it to `renderRows` and ask it for the certificate at the end. */
export function certifierFor(request: RenderRequest): Certifier {
  const { model, template, objective, bos, maxLength } = withDefaults(table, request);
  return createCertifier({
    template: templateText(template),
    tokenizer: model.hash,
    objective,
    bosId: bosOf(model, bos),
    modelBosId: model.bosId,
    eosId: model.eosId,
    maxLength,
  });
}

/**
 * The rows of `examples` in their order, each checked before it is given. Holds one example at a time.
 *
 * @param certifier  from `certifierFor(request)`; has seen all rows when the generator ends
 * @throws UserError  a row's mask is wrong, or nothing of it carries loss and `skipEmpty` is not set
 */
export async function* renderRows(
  examples: Examples,
  request: RenderRequest,
  certifier: Certifier,
): AsyncGenerator<Row, void, undefined> {
  const { model, template, objective, bos, maxLength, skipEmpty } = withDefaults(table, request);
  const options = { objective, maxLength, bos };
  for await (const example of examples) {
    const row = renderExample(model, template, example, options);
    if (supervisedTokens(row) === 0) {
      if (!skipEmpty) refuseEmpty(row, maxLength);
      certifier.skip();
      continue;
    }
    const instruction = objective === "response" ? "" : (example.messages[0]?.content ?? "");
    certifier.add(row, {
      promptIds: renderPrompt(model, template, instruction, options).promptIds,
      responses: example.messages.length / 2,
      lossy: example.messages.some(
        ({ role, content }) =>
          (objective === "instruction" || role === "assistant") && model.tokenizer.drops?.(content) === true,
      ),
    });
    yield row;
  }
}

function refuseEmpty(row: Row, maxLength: number): never {
  throw new UserError(`row ${row.id}: its prompt alone has ${maxLength} ids or more, so nothing of it carries loss`, {
    remedy: words`pass ${option("skipEmpty")} to leave such rows out, or raise ${option("maxLength")}`,
  });
}

/** All rows and their certificate, for data that fits in memory. */
export async function collectRows(
  examples: Examples,
  request: RenderRequest,
): Promise<{ readonly rows: Row[]; readonly certificate: Certificate }> {
  const certifier = certifierFor(request);
  const rows: Row[] = [];
  for await (const row of renderRows(examples, request, certifier)) rows.push(row);
  return { rows, certificate: certifier.finish() };
}

/** `rows.jsonl` → `rows.certificate.json`. */
export function certificatePath(rowsPath: string): string {
  return `${rowsPath.replace(/\.jsonl$/, "")}.certificate.json`;
}

export interface WrittenRows {
  readonly certificate: Certificate;
  /** sha256 of the rows' file. */
  readonly sha256: string;
}

export interface RowsWatch {
  /** Called with each row as it is written. */
  readonly watch?: (row: Row) => void;
  /** When it is aborted, nothing is left behind. */
  readonly signal?: AbortSignal;
}

/** Where rows go, and what must stay. */
export interface RowsFiles {
  readonly path: string;
  /** Files that the examples come from. */
  readonly inputs?: readonly string[];
  /** Replace rows that are there. */
  readonly force?: boolean;
}

/**
 * Writes one JSON line a row to `path` and the certificate beside it; both appear when all is done, or neither.
 *
 * @throws UserError  rows already exist; as `renderRows`
 */
export async function writeRows(
  files: string | RowsFiles,
  examples: Examples,
  request: RenderRequest,
  { watch, signal }: RowsWatch = {},
): Promise<WrittenRows> {
  const { path, inputs = [], force = false } = typeof files === "string" ? { path: files } : files;
  const beside = certificatePath(path);
  await using result = await openResult({ main: path, beside: [beside], inputs, force });
  const certifier = certifierFor(request);
  const hash = createHash("sha256");
  const lines = async function* (): AsyncGenerator<string> {
    for await (const row of renderRows(examples, request, certifier)) {
      signal?.throwIfAborted();
      const line = `${JSON.stringify(toRowRecord(row))}\n`;
      hash.update(line);
      yield line;
      watch?.(row);
    }
  };
  await result.write(path, lines());
  const certificate = certifier.finish();
  await result.write(beside, `${JSON.stringify(certificate, null, 2)}\n`);
  await result.commit();
  return { certificate, sha256: hash.digest("hex") };
}
