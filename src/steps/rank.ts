/**
 * Ranking, from files to files: data set and model directory in; the scores, one line per comparison and a summary out. The command,
 * the library and studies call this one function.
 */

import { join } from "node:path";
import { collectExamples } from "../data/load.js";
import { parseDataSpec } from "../data/spec.js";
import type { Engine } from "../engine/engine.js";
import type { Identity } from "../engine/identity.js";
import type { OpenedModel } from "../engine/opened.js";
import { ability, refuseTooLarge } from "../engine/refusals.js";
import { decidingFiles } from "../model-files/hash.js";
import { rankOptions } from "../options/score.js";
import { type Settled, settled } from "../options/template.js";
import { knownInstructions, type RankedText, rankPairs } from "../rank/rank.js";
import { drawRivals } from "../rank/rivals.js";
import type { ScoreCache, Scored } from "../rank/scoring.js";
import { openTally } from "../rank/totals.js";
import { type Emitter, EVENTS_FILE, type Watch, watched } from "../records/events.js";
import type { Example } from "../records/example.js";
import type { RecordedModel } from "../records/model.js";
import { type RankSummary, rankSummarySchema, type ScoreLine, scoreLineSchema } from "../records/rank.js";
import { renderPair } from "../text/render.js";
import { templateText } from "../text/template.js";
import type { TextModel } from "../text/tokenizer.js";
import { trimWhiteSpace } from "../text/unicode.js";
import { present, UserError } from "../util/errors.js";
import { sha256File } from "../util/files.js";
import { type OptionsOf, omit, recorded } from "../util/options.js";
import { formatCount } from "../util/progress.js";
import { recordLine, recordText } from "../util/record-file.js";
import { type Finished, openResult, type Result, type ResultPlan } from "../util/result.js";
import { packageVersion } from "../util/system.js";
import { option, words } from "../util/words.js";
import { engineOf, recordedModel } from "./open-engine.js";

export interface RankOptions extends OptionsOf<typeof rankOptions> {
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

type SettledRank = Settled<typeof rankOptions, RankOptions>;

/** Where a run's three files lie, and the ledger of one that is not finished. */
export function rankPaths(out: string): {
  readonly pairs: string;
  readonly summary: string;
  readonly scores: string;
  readonly partial: string;
} {
  const inFolder = !out.endsWith(".jsonl");
  const named = (name: string): string => (inFolder ? join(out, name) : `${out.slice(0, -".jsonl".length)}.${name}`);
  return {
    pairs: inFolder ? named("pairs.jsonl") : out,
    summary: named("summary.json"),
    scores: named("scores.jsonl"),
    partial: named("scores.partial.jsonl"),
  };
}

/**
 * @throws UserError  the results already exist, the engine gives no log-probabilities, or fewer than two examples
 * @throws the signal's reason  stopped; what was scored is in the ledger
 */
export const rank = (request: RankOptions, watch: Watch = {}): Promise<RankSummary> =>
  watched("rank", watch, (say) => rankData(settled(rankOptions, request), engineOf(request), say, watch.signal));

async function rankData(
  options: SettledRank,
  engine: Engine,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<RankSummary> {
  const started = performance.now();
  const { out } = options;
  await using result = await openResult(await resultPlan(options));
  const data = await readData(options.data, options.limit);
  await using model = await engine.open(options.model);
  for (const note of model.notes) say.note(note);
  const score = ability(model, "score");
  refuseTooLarge(model, model.plan({ for: "scoring" }));
  const computedBy = await model.identity();
  const cache = openCache(await result.finished((line) => scoreLineSchema.parse(line)));
  if (out !== undefined && !out.endsWith(".jsonl")) await say.keepIn(join(out, EVENTS_FILE));
  if (cache.known > 0)
    say.note(
      `the ledger holds ${formatCount(cache.known)} scores of earlier runs; those that fit are used, those of other options or an older version are not`,
    );
  const found = await compareData(options, { data, model, score, computedBy, cache, result }, say, signal);
  const seconds = (performance.now() - started) / 1000;
  const summary = rankSummarySchema.parse(
    summaryOf(options, { data, model: recordedModel(model, computedBy), computedBy, seconds, ...found }),
  );
  if (out !== undefined) {
    const { scores, summary: path } = rankPaths(out);
    await result.write(scores, cache.lines());
    await result.write(path, recordText(summary));
    await result.commit();
  }
  return summary;
}

async function resultPlan({ model, out, data, force }: SettledRank): Promise<ResultPlan | undefined> {
  if (out === undefined) return undefined;
  const { pairs, summary, scores, partial } = rankPaths(out);
  return {
    main: pairs,
    beside: [scores, summary],
    ledger: partial,
    inputs: [...(await decidingFiles(model)), parseDataSpec(data).path],
    force,
  };
}

interface Material {
  readonly data: Data;
  readonly model: OpenedModel;
  readonly score: NonNullable<OpenedModel["score"]>;
  readonly computedBy: Identity;
  readonly cache: Cache;
  readonly result: Result;
}

/** Compares; gives what a summary says of it. */
async function compareData(
  options: SettledRank,
  { data, model, score, computedBy, cache, result }: Material,
  say: Emitter,
  signal: AbortSignal | undefined,
) {
  const { out } = options;
  const maxLength = Math.min(options.maxLength, model.limits.maxPositions ?? Number.POSITIVE_INFINITY);
  const source = renderer(model.text, options, data.examples, maxLength);
  const input = {
    ids: data.examples.map(({ id }) => id),
    render: source.render,
    rivals: drawRivals(data.examples.length, options.against, options.seed),
    computedBy,
  };
  // Rendered twice where a run resumes: by a renderer of its own, so that merged rows are counted once.
  const { render } = renderer(model.text, options, data.examples, maxLength);
  const known = cache.known === 0 ? new Set<number>() : knownInstructions({ ...input, render }, cache.isKnown);
  say.begin({ total: data.examples.length, unit: "instructions", reused: known.size });
  const tally = openTally();
  const lines = async function* (): AsyncGenerator<string> {
    const onProgress = (done: number): void =>
      say.progress({ done: done + [...known].filter((index) => index >= done).length });
    for await (const pair of rankPairs(score, input, { cache, signal, onProgress })) {
      tally.add(pair);
      yield recordLine(pair);
    }
  };
  if (out !== undefined) await result.write(rankPaths(out).pairs, lines());
  else for await (const _ of lines());
  const counts = { scored: cache.scored(), reused: cache.reused() };
  return { totals: tally.totals(), ...counts, maxLength, merged: source.merged() };
}

interface Found extends Awaited<ReturnType<typeof compareData>> {
  readonly data: Data;
  readonly model: RecordedModel;
  readonly computedBy: Identity;
  readonly seconds: number;
}

/** What is not said elsewhere in a summary. */
const chosen = omit(rankOptions, "model", "data", "out", "template", "force");

function summaryOf(options: SettledRank, found: Found): RankSummary {
  const { data, totals, scored, reused, merged, maxLength, model, computedBy, seconds } = found;
  return {
    version: 1,
    ...totals,
    engine: computedBy.engine,
    model,
    data: { spec: options.data, hash: data.hash, examples: data.examples.length, multi_turn: data.multiTurn },
    options: {
      ...recorded(chosen, { ...options, ...computedBy, maxLength }),
      template: templateText(options.template),
    },
    scored,
    reused,
    merged,
    seconds: Number(seconds.toFixed(3)),
    tacit: packageVersion(),
  };
}

interface Data {
  readonly examples: readonly Example[];
  readonly multiTurn: number;
  readonly hash: string;
}

async function readData(specText: string, limit: number): Promise<Data> {
  const spec = parseDataSpec(specText);
  const { examples } = await collectExamples(spec, { limit });
  if (examples.length < 2) {
    throw new UserError(`${spec.path} gives ${examples.length} example; ranking compares at least two`, {
      remedy: words`name more data, or raise ${option("limit")}`,
    });
  }
  const multiTurn = examples.filter((example) => example.messages.length > 2).length;
  return { examples, multiTurn, hash: await sha256File(spec.path) };
}

/** Any instruction followed by any response, as ids. Of a dialogue it is the first exchange. */
function renderer(text: TextModel, options: SettledRank, examples: readonly Example[], maxLength: number) {
  let merged = 0;
  const content = (example: number, message: number): string => examples[example]?.messages[message]?.content ?? "";
  const render = (instruction: number, response: number): RankedText => {
    const pair = { instruction: content(instruction, 0), response: content(response, 1) };
    if (trimWhiteSpace(pair.response) === "") return { kind: "unscored", reason: "empty-response" };
    const rendered = renderPair(text, options.template, pair, { bos: options.bos });
    if (rendered.promptIds.length + rendered.responseIds.length > maxLength) {
      return { kind: "unscored", reason: "too-long" };
    }
    if (rendered.merged) merged++;
    return { kind: "ready", promptIds: rendered.promptIds, responseIds: rendered.responseIds };
  };
  return { render, merged: () => merged };
}

interface Cache extends ScoreCache {
  /** Lines that earlier runs left. */
  readonly known: number;
  /** Without asking for the value. */
  isKnown(key: string): boolean;
  scored(): number;
  reused(): number;
  /** What this run asked for, in the order in which it did, as lines. */
  lines(): Iterable<string>;
}

/** The ledger as a cache: what earlier runs left in it, and what this run adds, which is on disk before it is used. */
function openCache(finished: Finished<ScoreLine>): Cache {
  const [used, fresh] = [new Set<string>(), new Set<string>()];
  return {
    known: finished.size(),
    isKnown: (key) => finished.get(key) !== undefined,
    get(key) {
      used.add(key);
      const line = finished.get(key);
      return line === undefined ? undefined : withoutKey(line);
    },
    async set(key, value) {
      await finished.add({ key, ...value });
      fresh.add(key);
    },
    scored: () => fresh.size,
    reused: () => used.size - fresh.size,
    *lines() {
      for (const key of used) yield recordLine({ key, ...withoutKey(present(finished.get(key), key)) });
    },
  };
}

function withoutKey(line: ScoreLine): Scored {
  return "unscored" in line ? { unscored: line.unscored } : { sum: line.sum, mean: line.mean, tokens: line.tokens };
}
