/**
 * The command that carries out a study again. Its record has the file with all flags applied, not the flags: what may have come from one is
 * given as one.
 * May not know: sections.
 */
import { normalize } from "node:path";
import type { StudyRecord } from "../records/study.js";

type Input = StudyRecord["inputs"][number];

export function howToRepeat(record: StudyRecord): string {
  const { source, scale, study, inputs, settings } = record;
  const folder = dataFolder(record);
  const encoder = encoderOf(record);
  const flags: string[][] = [
    ...(scale === null ? [] : [["--scale", scale]]),
    ...inputs.flatMap(({ role, name, path }) => (role === "model" ? [["--model", `${name}=${path}`]] : [])),
    ...(folder === undefined ? [] : [["--data-dir", folder]]),
    ...inputs.flatMap((input) => (input.role === "data" ? dataFlag(record, input) : [])),
    ["--judge", judgeOf(record)],
    ...(encoder === undefined ? [] : [["--encoder", encoder]]),
    ...inputs.flatMap(({ role, path }) => (role === "length-control" ? [["--lc-data", path]] : [])),
    ["--seeds", study.seeds.join(",")],
    ["--threads", String(settings.threads)],
  ];
  const words = flags.map((pair) => `  ${pair.map(shellWord).join(" ")} \\\n`);
  return `tacit study run ${shellWord(source.path)} \\\n${words.join("")}  --out DIR`;
}

/** Data in the folder of data, or beside the file, are where the file says; whole paths may come from a flag. */
function dataFlag({ study }: StudyRecord, { name, path }: Input): string[][] {
  const written = study.data[name] ?? "";
  const [set = ""] = /^[A-Za-z][A-Za-z0-9_-]+:/.exec(written) ?? [];
  return written === `${set}${path}` ? [["--data", `${name}=${written}`]] : [];
}

/** A judge that comes with the package has a name and no path. */
function judgeOf({ study: { judge }, inputs }: StudyRecord): string {
  if (judge === null) return "none";
  return /[/\\.]/.test(judge) ? (inputs.find(({ role }) => role === "judge")?.path ?? judge) : judge;
}

/** The flag is of all similarities: where they have several, the file names them. A server is no input, a folder is. */
function encoderOf({ study, inputs }: StudyRecord): string | undefined {
  const named = study.analyses.flatMap((one) =>
    one.kind === "similarity" && one.encoder !== undefined
      ? [inputs.find(({ role, name }) => role === "encoder" && name === one.name)?.path ?? one.encoder]
      : [],
  );
  const asked = study.analyses.filter(({ kind }) => kind === "similarity").length;
  return named.length === asked && new Set(named).size === 1 ? named[0] : undefined;
}

/** What `$data` stood for: the path of anything that begins with it, less what the study writes behind it. */
function dataFolder({ study, inputs }: StudyRecord): string | undefined {
  for (const { role, name, path } of inputs) {
    const written: Readonly<Record<Input["role"], string | null | undefined>> = {
      model: study.models[name]?.path,
      data: study.data[name],
      judge: study.judge,
      rules: name,
      encoder: study.analyses.flatMap((one) => (one.kind === "similarity" && one.name === name ? one.encoder : []))[0],
      "length-control": study.length_control.data,
    };
    const [, rest] = /^(?:[A-Za-z][A-Za-z0-9_-]+:)?\$data(?:\/(.*))?$/s.exec(written[role] ?? "") ?? [];
    const end = rest === undefined ? undefined : normalize(rest);
    if (end !== undefined && path.endsWith(end)) return path.slice(0, -end.length).replace(/[/\\]+$/, "") || ".";
  }
  return undefined;
}

const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
