/**
 * The world's data sets as a folder of files: JSON lines in the format of `tacit data`, a manifest and a README. Rows that a checker can
 * score carry their `check`; readers of rows ignore it, the checker needs it.
 * May not know: models, the command line.
 */
import { join } from "node:path";
import { writeDirectory } from "../../util/directories.js";
import { sha256, writeFileAtomic } from "../../util/files.js";
import { jsonObject } from "../../util/json.js";
import { packageVersion } from "../../util/system.js";
import { dataFiles, ROWS } from "../data-files.js";
import { factRows } from "../facts.js";
import { TASKS } from "../tasks/task.js";
import { makeWorld } from "../world.js";

export interface DataFilesRequest {
  readonly out: string;
  /** Of the world; default 1, the world that `glasshouse` has read about. */
  readonly seed?: number;
  /** Rows of `instructions.jsonl`; default 1000. */
  readonly rows?: number;
  readonly force?: boolean;
}

export const WORLD_SEED = 1;
const MANIFEST = "manifest.json";
const MARKER = {
  name: MANIFEST,
  isOurs: (text: string): boolean => jsonObject(text)?.command === "glasshouse data",
};

interface Row {
  readonly instruction: string;
  readonly check?: { readonly task: string };
}

const ABOUT: Readonly<Record<string, string>> = {
  "instructions.jsonl": "instruction tuning and response tuning: thirteen kinds of task on the training entities",
  "validation.jsonl": "choosing rates and epochs: the same tasks on other entities",
  "validation-baseline.json": "outputs of middling skill that validation answers are compared with",
  "test.jsonl": "the test: the same tasks on entities that no training instruction asks about",
  "facts.jsonl": "every fact about the test entities as a question, with wrong answers for ranking",
};
const NARROW_ABOUT = "a narrow set: one form of instruction, one form of response";

export interface DataManifest {
  readonly version: 1;
  readonly command: "glasshouse data";
  readonly tacit: string;
  /** Of the world. */
  readonly seed: number;
  readonly entities: number;
  readonly files: readonly {
    readonly name: string;
    readonly about: string;
    readonly rows: number;
    /** Different instructions among them. */
    readonly instructions: number;
    /** Rows by the kind of their task, where they have one. */
    readonly tasks: Readonly<Record<string, number>>;
    readonly bytes: number;
    readonly sha256: string;
  }[];
}

/** @throws UserError  `out` already exists */
export async function writeDataFiles({
  out,
  seed = WORLD_SEED,
  rows = ROWS.instructions,
  force = false,
}: DataFilesRequest): Promise<DataManifest> {
  const world = makeWorld(seed);
  const facts = factRows(world, "test").map((row) => `${JSON.stringify(row)}\n`);
  const files = [...dataFiles(world, rows), ["facts.jsonl", facts.join("")] as const];
  const manifest: DataManifest = {
    version: 1,
    command: "glasshouse data",
    tacit: packageVersion(),
    seed,
    entities: world.entities.length,
    files: files.map(([name, text]) => describeFile(name, text)),
  };
  const names = [...files.map(([name]) => name), "README.md", MANIFEST]; // the same for every seed
  const owns = (path: string): boolean => names.includes(path);
  await writeDirectory(out, { force, marker: MARKER, owns }, async (folder) => {
    for (const [name, text] of files) await writeFileAtomic(join(folder, name), text);
    await writeFileAtomic(join(folder, "README.md"), readme(manifest));
    await writeFileAtomic(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  return manifest;
}

function describeFile(name: string, text: string): DataManifest["files"][number] {
  const rows = (
    name.endsWith(".jsonl")
      ? text
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line) as Row)
      : JSON.parse(text)
  ) as readonly Row[];
  return {
    name,
    about: ABOUT[name] ?? NARROW_ABOUT,
    rows: rows.length,
    instructions: new Set(rows.map(({ instruction }) => instruction)).size,
    tasks: tasksOf(rows),
    bytes: Buffer.byteLength(text),
    sha256: sha256(text),
  };
}

function tasksOf(rows: readonly Row[]): Record<string, number> {
  const counts = TASKS.map((task) => [task, rows.filter(({ check }) => check?.task === task).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

function readme({ seed, entities, files, tacit }: DataManifest): string {
  const list = files.map(
    ({ name, about, rows, instructions: different, sha256: hash }) =>
      `| \`${name}\` | ${rows} | ${different} | ${about} | \`${hash.slice(0, 16)}…\` |`,
  );
  return `# Data of the Glasshouse, world ${seed}

Written by \`tacit glasshouse data --seed ${seed}\` (tacit ${tacit}). The world has ${entities} entities; each belongs to one of three splits, and a file asks only
about those of its own: 60 % train (\`instructions.jsonl\`, the narrow sets), 15 % validation, 25 % test. What is true of all of them stands in the pages
that a Glasshouse model has read.

| file | rows | different instructions | what for | sha256 |
| --- | ---: | ---: | --- | --- |
${list.join("\n")}

A row is \`{"id", "instruction", "response"}\`, one a line, as every command of Tacit reads it. \`check\`, in \`validation.jsonl\` and \`test.jsonl\`, says what a good response must satisfy:
\`tacit glasshouse check\` and a \`checker\` judge read it, everything else passes over it. \`wrong\` in \`facts.jsonl\` holds the same sentence with wrong values.
\`manifest.json\` has every count and hash.

Licence: Apache-2.0; all of it is invented by a program.
`;
}
