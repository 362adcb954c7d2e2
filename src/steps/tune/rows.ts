/**
 * The rows of a tuning run: rendered and certified, those with long responses left out, some held back.
 * May not know: engines.
 */
import { createHash } from "node:crypto";
import { type LoadReport, loadExamples, newLoadReport } from "../../data/load.js";
import { parseDataSpec } from "../../data/spec.js";
import type { Certificate } from "../../records/certificate.js";
import { IGNORE, type Row } from "../../records/row.js";
import type { TunePlan } from "../../records/tune.js";
import type { TextModel } from "../../text/tokenizer.js";
import { UserError } from "../../util/errors.js";
import { sha256File } from "../../util/files.js";
import { randomStream } from "../../util/random.js";
import { certifierFor, renderRows } from "../render.js";
import type { SettledWork } from "./options.js";

export interface Material {
  readonly rows: readonly Row[];
  readonly heldOut: readonly Row[];
  /** Of the rows trained on, and of those held out, apart. Rows left out count in neither. */
  readonly certificate: Certificate;
  readonly heldOutCertificate: Certificate | undefined;
  readonly data: TunePlan["data"];
}

/** @throws UserError  bad rows, a wrong mask, nothing left to train on */
export async function readRows(request: SettledWork, text: TextModel): Promise<Material> {
  const spec = parseDataSpec(request.data);
  const report = newLoadReport();
  const examples = loadExamples(spec, { report, ...(request.limit === undefined ? {} : { limit: request.limit }) });
  const { template, objective, bos, maxLength, skipEmpty } = request;
  const render = { model: text, template, objective, bos, maxLength, skipEmpty };
  const certifier = certifierFor(render);
  const all: Row[] = [];
  for await (const row of renderRows(examples, render, certifier)) all.push(row);
  const limit = request.maxResponseTokens;
  const short = limit === undefined ? all : all.filter((row) => longestResponse(row, text.eosId) <= limit);
  const held = drawHeldOut(short.length, request);
  const rows = short.filter((_, i) => !held.has(i));
  if (rows.length === 0) {
    throw new UserError(
      `${request.data} leaves no row to train on: ${lossesOf(report, all.length, short.length, held.size)}`,
      {
        remedy: "name more data, or leave out less",
      },
    );
  }
  const heldOut = short.filter((_, i) => held.has(i));
  return {
    rows,
    heldOut,
    certificate: certifier.finish(rows),
    heldOutCertificate: heldOut.length === 0 ? undefined : { ...certifier.finish(heldOut), rows_skipped: 0 },
    data: {
      spec: request.data,
      sha256: await sha256File(spec.path),
      rows: rows.length,
      rows_sha256: hashRows(rows, heldOut),
      too_long: all.length - short.length,
      held_out: heldOut.length,
      left_out: [...report.leftOut].map(([reason, { count }]) => ({ reason, count })),
    },
  };
}

/** Places of the rows held out: the same for equal seeds, whatever else is asked for. */
function drawHeldOut(rows: number, { seed, holdOut }: SettledWork): ReadonlySet<number> {
  const order = randomStream(seed, "rows held out").shuffle(Array.from({ length: rows }, (_, i) => i));
  return new Set(order.slice(0, holdOut));
}

const lossesOf = (report: LoadReport, rendered: number, short: number, held: number): string =>
  `${report.examples} examples, ${report.examples - rendered} skipped, ${rendered - short} too long, ${held} held out`;

/** How many of the rows a run sees: fewer than all where it stops within its first epoch. */
export const rowsSeen = (rows: number, steps: number, batch: number): number => Math.min(rows, steps * batch);

/** Tokens of the longest response of a row, its stop token not counted. */
export function longestResponse(row: Row, eosId: number): number {
  let [longest, current] = [0, 0];
  for (const label of row.labels) {
    current = label === IGNORE || label === eosId ? 0 : current + 1;
    longest = Math.max(longest, current);
  }
  return longest;
}

/** Row by row: all of them as one text would be longer than a string can be. */
function hashRows(rows: readonly Row[], heldOut: readonly Row[]): string {
  const hash = createHash("sha256");
  for (const [name, part] of Object.entries({ rows, heldOut })) {
    hash.update(`${name}\n`);
    for (const { inputIds, labels } of part) hash.update(`${JSON.stringify([inputIds, labels])}\n`);
  }
  return hash.digest("hex");
}
