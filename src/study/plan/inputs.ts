/**
 * Everything from outside that a study reads: where it lies, and the hash of what it is.
 * May not know: steps.
 */

import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import type { OnHashed } from "../../engine/opened.js";
import { loadJudge, shippedJudges } from "../../judge/judge-file.js";
import { hashFile, hashFolder, hashModel } from "../../model-files/hash.js";
import type { Study } from "../../records/study-file.js";
import { shippedRules } from "../../rules/file.js";
import { UserError } from "../../util/errors.js";
import { modelDirectory, SHIPPED_MODEL } from "../../util/model-directory.js";
import { splitNamedPath, withPathOf } from "../../util/named-path.js";
import { shippedFile } from "../../util/shipped.js";
import { joined, option, type Words, words } from "../../util/words.js";
import { analysisOf } from "./analyses.js";
import { type Input, type InputRole, type Inputs, isUrl, type OnRead } from "./sources.js";

export type Wanted = Omit<Input, "hash">;

/** `$data` at the front of a path. */
const IN_DATA_FOLDER = /^\$data(?=\/|$)/;

/** What relative paths of a study begin at. */
interface Origin {
  readonly studyFolder: string;
  readonly dataFolder: string;
}

/**
 * A path as a study writes it: `$data/…` is in the folder of data, another relative one begins at the study's own folder.
 * `NAME:PATH` keeps its name.
 */
export const resolvePath = (text: string, { studyFolder, dataFolder }: Origin): string =>
  withPathOf(text, (path) => {
    const inData = IN_DATA_FOLDER.exec(path);
    if (inData !== null) return join(dataFolder, path.slice(inData[0].length) || ".");
    return isAbsolute(path) ? path : join(studyFolder, path);
  });

/** Whether a study, or a part of one, names the folder of data. */
export function namesDataFolder(part: unknown): boolean {
  if (typeof part === "string") return IN_DATA_FOLDER.test(splitNamedPath(part).path);
  return typeof part === "object" && part !== null && Object.values(part).some(namesDataFolder);
}

/** Which files and folders the study names. What no arm or analysis uses is not looked for. */
export function wantedInputs(study: Study, from: Origin): readonly Wanted[] {
  const place = (role: InputRole, name: string, text: string): Wanted => {
    const spec = resolvePath(text, from);
    return { role, name, spec, path: role === "data" ? splitNamedPath(spec).path : spec };
  };
  const namedInput = (role: "rules" | "judge", name: string, text: string, names: readonly string[]): Wanted => {
    const { shipped, path } = shippedFile(role === "judge" ? "judges" : role, names, text);
    return shipped === undefined ? place(role, name, text) : { role, name, spec: shipped, path };
  };
  const data = [...usedData(study)].map((name) => place("data", name, study.data[name] ?? ""));
  const models = Object.entries(study.models).map(([name, { path }]) =>
    path === SHIPPED_MODEL
      ? ({ role: "model", name, spec: path, path: modelDirectory(path) } as const)
      : place("model", name, path),
  );
  const rules = Object.values(study.arms).flatMap((arm) =>
    arm.kind === "rules" ? [namedInput("rules", arm.rules, arm.rules, shippedRules)] : [],
  );
  const judge = study.judge === null ? [] : [namedInput("judge", "judge", study.judge, shippedJudges)];
  const encoders = study.analyses.flatMap((one) => {
    const encoder = analysisOf(one).encoder(one);
    return encoder === undefined || isUrl(encoder) ? [] : [place("encoder", one.name, encoder)];
  });
  const control = study.length_control.data;
  const lengths = control === undefined ? [] : [place("length-control", "length-control", control)];
  const files = [
    ...(study.judging?.prompt_file === undefined
      ? []
      : [place("prompt-file", "prompt-file", study.judging.prompt_file)]),
    ...(study.judging?.prices === undefined ? [] : [place("prices", "prices", study.judging.prices)]),
    ...(study.winrate?.folds === undefined ? [] : [place("folds", "folds", study.winrate.folds)]),
  ];
  return once([...models, ...data, ...rules, ...judge, ...encoders, ...lengths, ...files]);
}

function once(inputs: readonly Wanted[]): Wanted[] {
  return [...new Map(inputs.map((input) => [`${input.role} ${input.name}`, input])).values()];
}

/** Names of data that something of the study reads. */
function usedData(study: Study): Set<string> {
  const used = new Set<string>();
  for (const arm of Object.values(study.arms)) if ("data" in arm) used.add(arm.data);
  const { selection, generation } = study;
  if (selection?.measure === "loss") used.add(selection.data);
  if (selection?.measure === "win_rate") used.add(selection.prompts).add(selection.baseline);
  if (generation !== undefined) used.add(generation.prompts);
  for (const analysis of study.analyses) for (const { name } of analysisOf(analysis).data(analysis)) used.add(name);
  return used;
}

/**
 * Looks for all of them and takes their hashes.
 *
 * @throws UserError  some are missing: all of them in one message
 */
export async function readInputs(wanted: readonly Wanted[], onRead: OnRead = () => {}): Promise<Inputs> {
  const missing = wanted.filter(({ path }) => !existsSync(path));
  if (missing.length > 0) throw missingInputs(missing);
  const all: Input[] = [];
  for (const input of wanted) {
    const what = input.role === input.name ? input.role : `${input.role} ${input.name}`;
    all.push({ ...input, hash: await hashOf(input, (done, total) => onRead({ what, done, total })) });
  }
  const byName = new Map(all.map((input) => [`${input.role} ${input.name}`, input]));
  return {
    all,
    get(role, name) {
      const found = byName.get(`${role} ${name}`);
      if (found === undefined) throw new Error(`internal: no ${role} named ${name}`);
      return found;
    },
  };
}

async function hashOf({ role, path, spec }: Wanted, onHashed: OnHashed): Promise<string> {
  if (role === "judge") return (await loadJudge(spec)).hash; // what decides a verdict: not its address, nor its limits
  if (role === "model") return hashModel(path, onHashed);
  return role === "encoder" || role === "length-control" ? hashFolder(path, onHashed) : hashFile(path, onHashed);
}

function missingInputs(missing: readonly Wanted[]): UserError {
  const named = missing.map(({ role, name, path }) => `${role} ${name === role ? "" : `${name} `}(${resolve(path)})`);
  const ways = new Set(missing.map(({ role }) => REMEDIES[role]));
  return new UserError(`missing inputs of the study: ${named.join(", ")}`, { remedy: joined([...ways], "; ") });
}

const REMEDIES: Readonly<Record<InputRole, Words>> = {
  model: words`pass ${option("models", "DIR")}, or ${option("models", SHIPPED_MODEL)}`,
  data: words`pass ${option("dataDir", "DIR")}, where the data sets lie, or ${option("data", "NAME=SPEC")} for one of them`,
  judge: words`pass ${option("judge", "FILE")}`,
  rules: "check the path of the rules",
  encoder: words`pass ${option("encoder", "DIR")}`,
  "length-control": words`pass ${option("lcData", "DIR")}, or check the path of length_control.data`,
  "prompt-file": "check the path of judging.prompt_file",
  prices: "check the path of judging.prices",
  folds: "check the path of winrate.folds",
};
