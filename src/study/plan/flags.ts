/**
 * What a person asks for besides the study's file, and the study that comes of it.
 * May not know: whether what it names is there.
 */

import { resolve } from "node:path";
import type { studyOptions } from "../../options/study.js";
import type { StudyFlags } from "../../records/study.js";
import { type Study, type StudyInput, studySchema } from "../../records/study-file.js";
import { UserError } from "../../util/errors.js";
import { SHIPPED_MODEL } from "../../util/model-directory.js";
import { withPathOf } from "../../util/named-path.js";
import type { OptionsOf } from "../../util/options.js";
import { complaintOf, describe } from "../../util/schema.js";
import { excerpt } from "../../util/terminal.js";
import { joined, option, words } from "../../util/words.js";
import { analysisOf } from "./analyses.js";
import { namesDataFolder } from "./inputs.js";
import { checkNames } from "./names.js";
import { isUrl } from "./sources.js";

export interface StudyRequest extends Omit<OptionsOf<typeof studyOptions>, "study"> {
  /** The path of a study file, the name of a shipped one, or the study itself. */
  readonly study: string | StudyInput;
}

/**
 * Paths that come from flags are relative to the working directory.
 *
 * @throws UserError  a flag names what the study does not have, or does not go with the rest of it
 */
export function withFlags(study: Study, request: StudyRequest): Study {
  const changed = {
    ...study,
    seeds: request.seeds === undefined ? study.seeds : [...request.seeds],
    models: withModels(study.models, request.models ?? []),
    data: withData(study.data, request.data ?? []),
    judge: request.judge === undefined ? study.judge : judgeOf(request.judge),
    analyses: study.analyses.map((analysis) =>
      request.encoder === undefined ? analysis : analysisOf(analysis).withEncoder(analysis, encoderOf(request.encoder)),
    ),
    length_control:
      request.lcData === undefined ? study.length_control : { ...study.length_control, data: resolve(request.lcData) },
  };
  const parsed = studySchema.safeParse(changed);
  if (!parsed.success) throw new UserError(complaintOf(parsed.error));
  const problem = checkNames(parsed.data);
  if (problem !== undefined) throw new UserError(describe(problem.path, problem.message));
  return changed;
}

/** The flags as they are recorded: models have their names, and paths hold from any working directory. */
export function flagsOf(request: StudyRequest, study: Study): StudyFlags {
  const { models = [], data = [], dataDir, judge, encoder, seeds, lcData } = request;
  return {
    ...(models.length === 0
      ? {}
      : {
          models: models
            .map((text) => namedModel(study.models, text))
            .map(([name, path]) => `${name}=${modelOf(path)}`),
        }),
    ...(data.length === 0 ? {} : { data: data.map((text) => text.replace(/(?<=^[^=]*=).*$/s, specOf)) }),
    ...(dataDir === undefined && !namesDataFolder(study) ? {} : { data_dir: resolve(dataDir ?? DATA_FOLDER) }),
    ...(judge === undefined ? {} : { judge: judgeOf(judge) ?? "none" }),
    ...(encoder === undefined ? {} : { encoder: encoderOf(encoder) }),
    ...(seeds === undefined ? {} : { seeds: [...seeds] }),
    ...(lcData === undefined ? {} : { lc_data: resolve(lcData) }),
  };
}

/** What `$data` stands for where no flag says it, in the working directory. */
export const DATA_FOLDER = "data";

const modelOf = (path: string): string => (path === SHIPPED_MODEL ? path : resolve(path));
const encoderOf = (text: string): string => (isUrl(text) ? text : resolve(text));

/** `PATH`, or `SET:PATH`. */
const specOf = (spec: string): string => withPathOf(spec, resolve);

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
      throw new UserError(words`${option("models", excerpt(text))}: the study has no model ${excerpt(name)}`, {
        remedy: `it has ${Object.keys(models).join(", ")}`,
      });
    }
    changed[name] = { ...model, path: modelOf(path) };
  }
  return changed;
}

function namedModel(models: Study["models"], text: string): readonly [name: string, path: string] {
  const [, name, path] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/s.exec(text) ?? [];
  if (name !== undefined && path !== undefined) return [name, path];
  const [only, ...others] = Object.keys(models);
  if (only !== undefined && others.length === 0) return [only, text];
  throw new UserError(words`${option("models", excerpt(text))}: the study has several models`, {
    remedy: words`say which: ${joined(
      Object.keys(models).map((one) => words`${option("models", `${one}=DIR`)}`),
      " ",
    )}`,
  });
}

function withData(data: Study["data"], given: readonly string[]): Study["data"] {
  const changed = { ...data };
  for (const text of given) {
    const [, name = "", spec = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (!Object.hasOwn(data, name) || spec === "") {
      throw new UserError(words`${option("data", excerpt(text))}: the study has no data of that name`, {
        remedy: `write NAME=SPEC; names are ${Object.keys(data).join(", ")}`,
      });
    }
    changed[name] = specOf(spec);
  }
  return changed;
}
