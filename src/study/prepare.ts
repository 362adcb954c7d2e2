/**
 * From what a person asked for to what a study is: file, scale and flags applied, inputs found and hashed, settings fixed.
 * May not know: how steps are carried out.
 */
import { join, resolve } from "node:path";
import { RECORD_VERSION, type StudyRecord } from "../records/study.js";
import { type Study, studySchema } from "../records/study-file.js";
import { UserError } from "../util/errors.js";
import { SHIPPED_MODEL } from "../util/model-directory.js";
import { availableCores, packageVersion } from "../util/system.js";
import { admitStudy, type StudyFolder, studyFolder } from "./folder.js";
import type { GraphContext } from "./graph-builder.js";
import { type Inputs, readInputs, wantedInputs } from "./inputs.js";
import { checkNames, epochsOf } from "./names.js";
import { loadStudy } from "./read.js";

export interface StudyRequest {
  /** Path of a study file, or the name of a shipped one. */
  readonly study: string;
  readonly scale?: string;
  /** Default: `runs/NAME`, with `-SCALE` behind. */
  readonly out?: string;
  /** `DIR` for a study of one model, `NAME=DIR` for one of several. */
  readonly models?: readonly string[];
  /** `NAME=SPEC`, in place of the study's own. */
  readonly data?: readonly string[];
  /** What `$data` means; default: `data` in the working directory. */
  readonly dataDir?: string;
  /** Judge file; `none` for none. */
  readonly judge?: string;
  readonly encoder?: string;
  /** In place of the study's. */
  readonly seeds?: readonly number[];
  /** Default: what the folder was begun with, else the cores there are. */
  readonly threads?: number;
}

export interface Prepared {
  readonly folder: StudyFolder;
  readonly record: StudyRecord;
  readonly inputs: Inputs;
  readonly context: Omit<GraphContext, "choices">;
}

const ENGINE = "embedded";

/** @throws UserError  the study is wrong, something that it names is not there, or the folder is another study's */
export async function prepareStudy(request: StudyRequest): Promise<Prepared> {
  const { study: read, scale, path, sha256 } = await loadStudy(request.study, request.scale);
  const study = withFlags(read, request);
  refuseBlindChoice(study);
  const folder = studyFolder(request.out ?? join("runs", scale === undefined ? study.name : `${study.name}-${scale}`));
  await admitStudy(folder.root, study.name);
  const inputs = await readInputs(wantedInputs(study, { studyPath: path, dataFolder: request.dataDir ?? "data" }));
  const before = await folder.readStudy();
  const threads = request.threads ?? before?.settings.threads ?? availableCores();
  const record: StudyRecord = {
    version: RECORD_VERSION,
    command: "study",
    tacit: packageVersion(),
    source: { path, sha256 },
    scale: scale ?? null,
    study,
    inputs: inputs.all.map(({ role, name, path: where, spec, hash }) => {
      const named = role === "model" ? spec : where; // the model in the package has a name that holds elsewhere, too
      return { role, name, path: named, hash };
    }),
    settings: { engine: ENGINE, threads },
  };
  return {
    folder,
    record,
    inputs,
    context: { study, inputs, settings: { tacit: record.tacit, engine: ENGINE, threads } },
  };
}

/** Paths that come from flags are relative to the working directory. */
function withFlags(study: Study, request: StudyRequest): Study {
  const changed = {
    ...study,
    seeds: request.seeds === undefined ? study.seeds : [...request.seeds],
    models: withModels(study.models, request.models ?? []),
    data: withData(study.data, request.data ?? []),
    judge: request.judge === undefined ? study.judge : judgeOf(request.judge),
    analyses: study.analyses.map((analysis) =>
      analysis.kind === "similarity" && request.encoder !== undefined
        ? { ...analysis, encoder: /^https?:/.test(request.encoder) ? request.encoder : resolve(request.encoder) }
        : analysis,
    ),
  };
  const problem = checkNames(studySchema.parse(changed));
  if (problem !== undefined) throw new UserError(`${problem.path.join(".")}: ${problem.message}`);
  return changed;
}

/** A judge that comes with the package keeps its name. */
const judgeOf = (text: string): string | null => {
  if (text === "none") return null;
  return /[/\\.]/.test(text) ? resolve(text) : text;
};

function withModels(models: Study["models"], given: readonly string[]): Study["models"] {
  const changed = { ...models };
  for (const text of given) {
    const [name, path] = namedModel(models, text);
    const model = models[name];
    if (model === undefined) {
      throw new UserError(`--model ${text}: the study has no model ${name}`, {
        remedy: `it has ${Object.keys(models).join(", ")}`,
      });
    }
    changed[name] = { ...model, path: path === SHIPPED_MODEL ? path : resolve(path) };
  }
  return changed;
}

function namedModel(models: Study["models"], text: string): readonly [name: string, path: string] {
  const [, name, path] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && path !== undefined) return [name, path];
  const [only, ...others] = Object.keys(models);
  if (only !== undefined && others.length === 0) return [only, text];
  throw new UserError(`--model ${text}: the study has several models`, {
    remedy: `say which: ${Object.keys(models)
      .map((one) => `--model ${one}=DIR`)
      .join(" ")}`,
  });
}

function withData(data: Study["data"], given: readonly string[]): Study["data"] {
  const changed = { ...data };
  for (const text of given) {
    const [, name = "", spec = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (!Object.hasOwn(data, name) || spec === "") {
      throw new UserError(`--data ${text}: the study has no data of that name`, {
        remedy: `write NAME=SPEC; names are ${Object.keys(data).join(", ")}`,
      });
    }
    const [, set, path] = /^([A-Za-z][A-Za-z0-9_-]+):(.*)$/s.exec(spec) ?? [];
    changed[name] = set === undefined || path === undefined ? resolve(spec) : `${set}:${resolve(path)}`;
  }
  return changed;
}

function refuseBlindChoice(study: Study): void {
  if (study.judge !== null || study.selection?.measure !== "win_rate") return;
  const [name] = Object.entries(study.arms).find(([, arm]) => epochsOf(study, arm).length > 1) ?? [];
  if (name === undefined) return;
  throw new UserError(`epochs of ${name} are chosen by win rate, and there is no judge`, {
    remedy: "pass --judge FILE, or choose by `selection: { measure: loss, data: … }`",
  });
}
