/**
 * The command that carries out a study again: its file, and the flags that were given with it.
 * May not know: sections.
 */
import type { StudyRecord } from "../records/study.js";

export function howToRepeat({ source, scale, flags, settings }: StudyRecord): string {
  const one = (name: string, value: string | null | undefined): string[][] => (value == null ? [] : [[name, value]]);
  const each = (name: string, values: readonly string[] = []): string[][] => values.map((value) => [name, value]);
  const given = [
    ...one("--scale", scale),
    ...each("--model", flags.models),
    ...one("--data-dir", flags.data_dir),
    ...each("--data", flags.data),
    ...one("--judge", flags.judge),
    ...one("--encoder", flags.encoder),
    ...one("--lc-data", flags.lc_data),
    ...one("--seeds", flags.seeds?.join(",")),
    ["--threads", String(settings.threads)],
  ];
  const lines = given.map((pair) => `  ${pair.map(shellWord).join(" ")} \\\n`);
  return `tacit study run ${shellWord(source.shipped ?? source.path ?? "STUDY.yaml")} \\\n${lines.join("")}  --out DIR`;
}

const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
