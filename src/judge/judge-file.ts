/**
 * Reads a judge (YAML) and settles what it is: its schema's defaults, its prompt, its hash.
 * May not know: outputs, how anything is asked.
 */

import { existsSync } from "node:fs";
import { dirname, parse, resolve } from "node:path";
import { type AskedJudge, type Judge, type JudgeInput, judgeSchema } from "../records/judge-file.js";
import { UserError } from "../util/errors.js";
import { sha256, sha256File } from "../util/files.js";
import { complaintOf } from "../util/schema.js";
import { shippedFile } from "../util/shipped.js";
import { option, words } from "../util/words.js";
import { parseYaml, readSmallText } from "../util/yaml.js";
import { ownPrompt } from "./own-prompt.js";
import type { Prompt } from "./prompt.js";
import { loadPromptFile } from "./prompt-file.js";

/** Judge files that come with the package, by name. */
export const shippedJudges = ["checker", "longer", "first"] as const;

export interface LoadedJudge {
  readonly judge: Judge;
  readonly name: string;
  /** Absent for judges that are not asked with a prompt. */
  readonly prompt: { readonly prompt: Prompt; readonly source: string } | undefined;
  /** Of everything that decides a reply; part of every call's key. */
  readonly callHash: string;
  /** Of everything that decides a verdict. */
  readonly hash: string;
  /** For files that the judge names. */
  readonly folder: string;
}

export interface JudgeChanges {
  readonly order?: "both" | "alpaca_eval" | undefined;
  readonly empty?: "skip" | "ask" | undefined;
  /** Relative to the working directory. */
  readonly promptFile?: string | undefined;
}

/**
 * @param spec  the path of a YAML file, the name of a shipped one, or a judge as an object
 * @throws UserError  with file, line and column
 */
export async function loadJudge(spec: string | JudgeInput, changes: JudgeChanges = {}): Promise<LoadedJudge> {
  if (typeof spec !== "string") {
    const parsed = judgeSchema.safeParse(spec);
    if (!parsed.success) throw new UserError(`not a judge: ${complaintOf(parsed.error)}`);
    return settle(parsed.data, parsed.data.name ?? parsed.data.kind, process.cwd(), changes);
  }
  const { path } = shippedFile("judges", shippedJudges, spec);
  const text = await readSmallText(path, "the judge", `pass a judge file, or one of ${shippedJudges.join(", ")}`);
  const judge = parseYaml(text, path, judgeSchema, "docs/guide/judge.md lists what a judge file may say");
  return settle(judge, judge.name ?? parse(path).name, dirname(resolve(path)), changes);
}

async function settle(read: Judge, name: string, folder: string, changes: JudgeChanges): Promise<LoadedJudge> {
  const judge = changed(read, changes);
  if (!isAsked(judge)) {
    const files = await Promise.all(filesOf(judge).map((file) => hashOf(resolve(folder, file))));
    const hash = sha256(JSON.stringify([withoutName(judge), files]));
    return { judge, name, prompt: undefined, callHash: hash, hash, folder };
  }
  const source =
    changes.promptFile ?? (judge.prompt_file === undefined ? undefined : resolve(folder, judge.prompt_file));
  const prompt =
    source === undefined ? ownPrompt(judge.markers, judge.outputs) : await loadPromptFile(source, judge.outputs);
  const callHash = sha256(JSON.stringify([prompt.text, decidingReply(judge)])).slice(0, 32);
  const hash = sha256(JSON.stringify([callHash, decidingVerdict(judge)])).slice(0, 32);
  return { judge, name, prompt: { prompt, source: source ?? "tacit" }, callHash, hash, folder };
}

/** Files that decide verdicts. */
const filesOf = (judge: Exclude<Judge, AskedJudge>): readonly string[] =>
  judge.kind === "votes" ? [judge.file] : (judge.prompts ?? []);

async function hashOf(path: string): Promise<string> {
  if (!existsSync(path))
    throw new UserError(`${path}, which the judge names, is missing`, { remedy: "check the path" });
  return sha256File(path);
}

export const isAsked = (judge: Judge): judge is AskedJudge => judge.kind === "openai" || judge.kind === "scripted";

function changed(judge: Judge, { order, empty, promptFile }: JudgeChanges): Judge {
  const withEmpty: Judge = empty === undefined ? judge : { ...judge, empty };
  if (isAsked(withEmpty)) return order === undefined ? withEmpty : { ...withEmpty, order };
  const given = order !== undefined ? "order" : promptFile !== undefined ? "promptFile" : undefined;
  if (given === undefined) return withEmpty;
  throw new UserError(`a judge of kind ${judge.kind} is not asked with a prompt`, {
    remedy: words`leave ${option(given)} out`,
  });
}

/** The body of each request, but for the messages. The address is not part of it: a model may move to another port. */
function decidingReply(judge: AskedJudge): unknown {
  if (judge.kind === "scripted") return [judge.kind, judge.prefers, judge.markers];
  return [judge.kind, judge.model, judge.api, sorted(requestParameters(judge))];
}

/** Changes whenever the same reply would be read as another verdict. */
const READING = 3;

const decidingVerdict = (judge: AskedJudge): unknown => [
  READING,
  judge.compat ?? null,
  judge.verdict,
  judge.markers,
  judge.parser,
  judge.position,
  judge.votes,
  judge.order,
  judge.empty,
];

function withoutName<J extends Judge>({ name: _, ...rest }: J): Omit<J, "name"> {
  return rest;
}

const sorted = (record: Record<string, unknown>): [string, unknown][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));

/**
 * What is sent besides model and messages. For log-probabilities AlpacaEval 2's: one token at temperature 1, the five likeliest.
 * A single sampled reply is greedy; several must be able to differ.
 */
export function requestParameters(judge: AskedJudge & { readonly kind: "openai" }): Record<string, unknown> {
  const sampled = { max_tokens: 256, temperature: judge.votes > 1 ? 1 : 0 };
  const logprobs = judge.api === "chat" ? { logprobs: true, top_logprobs: 5 } : { logprobs: 5 };
  const defaults = judge.verdict === "sampled" ? sampled : { max_tokens: 1, temperature: 1, ...logprobs };
  return Object.fromEntries(Object.entries({ ...defaults, ...judge.parameters }).filter(([, value]) => value !== null));
}
