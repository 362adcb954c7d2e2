/**
 * From what a person asked for to what a study is: file, scale and flags applied, inputs found and hashed, settings fixed.
 * May not know: how steps are carried out.
 */
import { dirname, join } from "node:path";
import { RECORD_VERSION, type StudyRecord } from "../../records/study.js";
import type { Study } from "../../records/study-file.js";
import { openEngine } from "../../steps/open-engine.js";
import { UserError } from "../../util/errors.js";
import { availableCores, packageVersion } from "../../util/system.js";
import { option, words } from "../../util/words.js";
import { admitStudy, type StudyFolder, studyFolder } from "../results/folder.js";
import type { Computing } from "../step.js";
import { epochsOf } from "./arms.js";
import { DATA_FOLDER, flagsOf, type StudyRequest, withFlags } from "./flags.js";
import type { GraphContext } from "./graph-builder.js";
import { readInputs, wantedInputs } from "./inputs.js";
import { loadStudy } from "./read.js";
import type { Inputs, OnRead } from "./sources.js";

export interface Prepared {
  readonly folder: StudyFolder;
  readonly record: StudyRecord;
  readonly inputs: Inputs;
  /** What computes. */
  readonly engine: Computing;
  readonly context: Omit<GraphContext, "choices">;
}

/** @throws UserError  the study is wrong, something that it names is missing, or the folder is another study's */
export async function prepareStudy(request: StudyRequest, onRead?: OnRead): Promise<Prepared> {
  const { study: read, scale, path, sha256, shipped } = await loadStudy(request.study, request.scale);
  const study = withFlags(read, request);
  refuseBlindChoice(study);
  const folder = studyFolder(studyRoot(request, study.name, scale));
  await admitStudy(folder.root, study.name);
  const inputs = await readInputs(
    wantedInputs(study, {
      studyFolder: path === undefined ? "." : dirname(path),
      dataFolder: request.dataDir ?? DATA_FOLDER,
    }),
    onRead,
  );
  const before = await folder.readStudy();
  const threads = request.threads ?? before?.settings.threads ?? availableCores();
  const engine: Computing = { threads };
  const settings = { engine: openEngine(engine).name, threads };
  const record: StudyRecord = {
    version: RECORD_VERSION,
    command: "study",
    tacit: packageVersion(),
    source: { path: path ?? null, sha256, ...(shipped === undefined ? {} : { shipped }) },
    scale: scale ?? null,
    flags: flagsOf(request, study),
    study,
    inputs: inputs.all.map(({ role, name, path: where, spec, hash }) => {
      const named = role === "model" ? spec : where; // the model in the package has a name that holds elsewhere, too
      return { role, name, path: named, hash };
    }),
    settings,
  };
  return {
    folder,
    record,
    inputs,
    engine,
    context: { study, inputs, settings: { tacit: record.tacit, ...settings } },
  };
}

/** The folder of the results. */
export const studyRoot = ({ out }: Pick<StudyRequest, "out">, name: string, scale: string | undefined): string =>
  out ?? join("runs", scale === undefined ? name : `${name}-${scale}`);

function refuseBlindChoice(study: Study): void {
  if (study.judge !== null || study.selection?.measure !== "win_rate") return;
  const [name] = Object.entries(study.arms).find(([, arm]) => epochsOf(study, arm).length > 1) ?? [];
  if (name === undefined) return;
  throw new UserError(`epochs of ${name} are chosen by win rate, and there is no judge`, {
    remedy: words`pass ${option("judge", "FILE")}, or choose by \`selection: { measure: loss, data: … }\``,
  });
}
