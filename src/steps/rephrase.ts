/**
 * Restated instructions taken off responses, from file to file. The command, the library and studies call this one function.
 *
 * A model's replies go to a ledger beside the result, from which a stopped run resumes; rows come out in the order in which they came in,
 * every one of them.
 */

import { collectExamples } from "../data/load.js";
import { OVERLAP_THRESHOLD } from "../data/rephrase/overlap.js";
import { overlapQuality } from "../data/rephrase/overlap-quality.js";
import {
  type ExchangeOutcome,
  overlapRephraser,
  type RephrasedRow,
  rephraseExample,
} from "../data/rephrase/rephrase.js";
import { type JudgedExchange, parseVerdict, readVerdicts } from "../data/rephrase/verdicts.js";
import { parseDataSpec } from "../data/spec.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import { type ClassificationRecord, type RephraseSummary, rephraseSummarySchema } from "../records/rephrase.js";
import { type Classification, classificationOf } from "../stats/classification.js";
import { toEstimateRecord } from "../stats/estimate.js";
import { invariant, UserError } from "../util/errors.js";
import { sha256File } from "../util/files.js";
import { inParallel } from "../util/parallel.js";
import { recordLine, recordText } from "../util/record-file.js";
import { openResult, type Result } from "../util/result.js";
import { packageVersion, secondsSince } from "../util/system.js";
import { option, words } from "../util/words.js";
import { type ModelMethod, type OpenRephraser, openModelRephraser, promptsHash } from "./rephrase-model.js";

export interface RephraseOptions {
  /** `PATH` or `NAME:PATH`. */
  readonly data: string;
  /** A file ending in `.jsonl`; `.run.json` and, until it is done, `.partial.jsonl` lie beside it. */
  readonly out: string;
  readonly method: { readonly kind: "overlap"; readonly threshold?: number } | ModelMethod;
  /** LIMA's rows with the authors' verdicts, to compare with. */
  readonly verdicts?: string;
  readonly limit?: number | "all";
  readonly force?: boolean;
}

export function rephrasePaths(out: string): { readonly run: string; readonly partial: string } {
  const stem = out.replace(/\.jsonl$/, "");
  return { run: `${stem}.run.json`, partial: `${stem}.partial.jsonl` };
}

/**
 * A row that the model refuses, or answers beside the question, comes out as it was, and is counted with the reason.
 *
 * @throws UserError  a result already exists, the data cannot be read, no request to the server will work, or some got no reply
 *                    whatever was tried: nothing is written then, and the next call asks these alone
 * @throws the signal's reason  stopped; replies are in the ledger
 */
export const rephrase = (options: RephraseOptions, watch: Watch = {}): Promise<RephraseSummary> =>
  watched("rephrase", watch, (say) => rephraseRows(options, say, watch.signal));

async function rephraseRows(
  options: RephraseOptions,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<RephraseSummary> {
  const started = performance.now();
  const { out, method, force = false } = options;
  if (!out.endsWith(".jsonl"))
    throw new UserError(words`${option("out")}: ${out} does not end in .jsonl`, { remedy: "name it so" });
  const paths = rephrasePaths(out);
  const spec = parseDataSpec(options.data);
  const inputs = [spec.path, ...(options.verdicts === undefined ? [] : [options.verdicts])];
  const ledger = method.kind === "llm" ? { ledger: paths.partial } : {};
  await using result = await openResult({ main: out, beside: [paths.run], ...ledger, inputs, force });
  const { examples } = await collectExamples(spec, options.limit === undefined ? {} : { limit: options.limit });
  const verdicts = options.verdicts === undefined ? undefined : await readVerdicts(options.verdicts);
  const { rephraser, atATime, isKnown, calls, settle } = await openRephraser(method, result, signal);
  const known = new Set<number>();
  for (const [place, example] of examples.entries()) if (await isKnown(example)) known.add(place);
  say.begin({ total: examples.length, unit: "rows", reused: known.size });
  const results: Awaited<ReturnType<typeof rephraseExample>>[] = [];
  let done = known.size;
  for await (const [i, rephrased] of inParallel(examples.entries(), atATime, async ([place, example]) => {
    signal?.throwIfAborted();
    return [place, await rephraseExample(example, rephraser)] as const;
  })) {
    results[i] = rephrased;
    if (!known.has(i)) say.progress({ done: ++done });
  }
  settle();
  const rows = results.map(({ row }) => row);
  invariant(rows.length === examples.length, `${rows.length} rows of ${examples.length}`);
  const summary: RephraseSummary = {
    version: 1,
    command: "data rephrase",
    tacit: packageVersion(),
    data: { spec: options.data, hash: await sha256File(spec.path) },
    method: methodRecord(method),
    rows_in: examples.length,
    rows_out: rows.length,
    ...countOutcomes(results.map(({ outcomes }) => outcomes)),
    agreement: verdicts === undefined ? null : compare(options, rows, verdicts),
    calls: calls(),
    seconds: secondsSince(started),
  };
  await result.write(paths.run, recordText(rephraseSummarySchema.parse(summary)));
  await result.write(out, rows.map(recordLine));
  // What was refused may work another time: the replies stay, and the same call with force asks for the rest alone.
  await result.commit({ keepLedger: calls().failed > 0 });
  return summary;
}

const methodRecord = (method: RephraseOptions["method"]): RephraseSummary["method"] =>
  method.kind === "overlap"
    ? { kind: "overlap", threshold: method.threshold ?? OVERLAP_THRESHOLD }
    : { kind: "llm", base_url: method.baseUrl, model: method.model, prompts_hash: promptsHash() };

async function openRephraser(
  method: RephraseOptions["method"],
  result: Result,
  signal: AbortSignal | undefined,
): Promise<OpenRephraser> {
  if (method.kind === "llm") return openModelRephraser(method, result, signal);
  const calls = { asked: 0, reused: 0, failed: 0 };
  return {
    rephraser: overlapRephraser(method.threshold),
    atATime: 1,
    isKnown: async () => false,
    calls: () => calls,
    settle: () => {},
  };
}

function countOutcomes(rows: readonly (readonly ExchangeOutcome[])[]) {
  const all = rows.flat();
  const reasons = (kind: "kept" | "unjudged"): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const outcome of all) if (outcome.kind === kind) counts[outcome.reason] = (counts[outcome.reason] ?? 0) + 1;
    return counts;
  };
  return {
    exchanges: all.length,
    rewritten: all.filter(({ kind }) => kind === "rewritten").length,
    plain: all.filter(({ kind }) => kind === "plain").length,
    kept: reasons("kept"),
    unjudged: reasons("unjudged"),
    rows_rewritten: rows.filter((outcomes) => outcomes.some(({ kind }) => kind === "rewritten")).length,
  };
}

/** Our verdicts beside the published ones, matched by texts: ids are not always the same. */
function compare(
  { verdicts: path = "", method }: RephraseOptions,
  rows: readonly RephrasedRow[],
  verdicts: readonly JudgedExchange[],
): RephraseSummary["agreement"] {
  const place = (instruction: string, response: string): string => JSON.stringify([instruction, response]);
  const ours = new Map<string, boolean>();
  for (const { messages } of rows) {
    messages.forEach((user, i) => {
      const assistant = messages[i + 1];
      const restates = user.check === undefined ? undefined : parseVerdict(user.check);
      if (assistant === undefined || restates === undefined) return;
      ours.set(place(user.content, assistant.content_old ?? assistant.content), restates);
    });
  }
  const pairs = verdicts.flatMap(({ instruction, response, restates: wanted }) => {
    const found = ours.get(place(instruction, response));
    return found === undefined ? [] : [{ found, wanted }];
  });
  const validated =
    method.kind === "overlap" ? overlapQuality(verdicts, method.threshold ?? OVERLAP_THRESHOLD) : undefined;
  return {
    verdicts: path,
    exchanges: pairs.length,
    absent: verdicts.length - pairs.length,
    measured: record(classificationOf(pairs)),
    cross_validated: validated === undefined ? null : record(validated.crossValidated),
  };
}

const record = (agreement: Classification): ClassificationRecord => ({
  both_yes: agreement.bothYes,
  false_yes: agreement.falseYes,
  false_no: agreement.falseNo,
  both_no: agreement.bothNo,
  agreement: toEstimateRecord(agreement.agreement),
  kappa: toEstimateRecord(agreement.kappa),
  precision: toEstimateRecord(agreement.precision),
  recall: toEstimateRecord(agreement.recall),
});
