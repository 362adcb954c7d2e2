/**
 * The world's data sets as a folder of files: JSON lines in the format of `tacit data`, a manifest and a README. Rows that a checker can
 * score carry their `check`; readers of rows ignore it, the checker needs it.
 * May not know: models, the command line.
 */
import { join } from "node:path";
import { writeDirectory } from "../../util/directories.js";
import { sha256, writeFileAtomic } from "../../util/files.js";
import { packageVersion } from "../../util/system.js";
import { instructions, NARROW, narrow } from "../data-sets.js";
import { factRows } from "../facts.js";
import { TASKS } from "../tasks/task.js";
import { makeWorld, type World } from "../world.js";

export interface DataFilesRequest {
  readonly out: string;
  /** Of the world; default 1, the world that `glasshouse` has read about. */
  readonly seed?: number;
  /** Rows of `instructions.jsonl`; a narrow set has half as many. Default 1000. */
  readonly rows?: number;
  readonly force?: boolean;
}

export const WORLD_SEED = 1;
export const DATA_ROWS = 1000;
const VALIDATION_ROWS = 56;
const TEST_ROWS = 200;
/** Its presence says that a folder may be replaced. */
const MANIFEST = "manifest.json";

interface Row {
  readonly id: string;
  readonly instruction: string;
  readonly response: string;
}

interface DataFile {
  readonly name: string;
  /** What it is for, in one line. */
  readonly about: string;
  readonly rows: readonly Row[];
}

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

/** @throws UserError  `out` is there already */
export async function writeDataFiles({
  out,
  seed = WORLD_SEED,
  rows = DATA_ROWS,
  force = false,
}: DataFilesRequest): Promise<DataManifest> {
  const world = makeWorld(seed);
  const files = dataFiles(world, rows).map(({ name, about, rows: all }) => ({ name, about, all, text: jsonl(all) }));
  const manifest: DataManifest = {
    version: 1,
    command: "glasshouse data",
    tacit: packageVersion(),
    seed,
    entities: world.entities.length,
    files: files.map(({ name, about, all, text }) => ({
      ...{ name, about, rows: all.length },
      instructions: new Set(all.map(({ instruction }) => instruction)).size,
      tasks: tasksOf(all),
      bytes: Buffer.byteLength(text),
      sha256: sha256(text),
    })),
  };
  await writeDirectory(out, { force, marker: MANIFEST }, async (folder) => {
    for (const { name, text } of files) await writeFileAtomic(join(folder, name), text);
    await writeFileAtomic(join(folder, "README.md"), readme(manifest));
    await writeFileAtomic(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  });
  return manifest;
}

const jsonl = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

function dataFiles(world: World, rows: number): DataFile[] {
  return [
    {
      name: "instructions.jsonl",
      about: "instruction tuning and response tuning: a dozen kinds of task on the training entities",
      rows: instructions(world, "train", rows),
    },
    {
      name: "validation.jsonl",
      about: "choosing rates and epochs: the same tasks on other entities",
      rows: instructions(world, "validation", VALIDATION_ROWS),
    },
    {
      name: "test.jsonl",
      about: "the test: the same tasks on entities that no tuning data speaks of",
      rows: instructions(world, "test", TEST_ROWS),
    },
    ...NARROW.map((name) => ({
      name: `${name}.jsonl`,
      about: "a narrow set: one form of instruction, one form of response",
      rows: narrow(world, name, Math.ceil(rows / 2)),
    })),
    {
      name: "facts.jsonl",
      about: "every fact about the test entities as a question, with wrong answers for ranking",
      rows: factRows(world, "test"),
    },
  ];
}

function tasksOf(rows: readonly object[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const task = (row as { check?: { task: string } }).check?.task;
    if (task !== undefined) counts.set(task, (counts.get(task) ?? 0) + 1);
  }
  return Object.fromEntries(TASKS.flatMap((task) => (counts.has(task) ? [[task, counts.get(task) ?? 0]] : [])));
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

A row is \`{"id", "instruction", "response"}\`, one a line, as every command of Tacit reads it. \`check\`, where it is there, says what a good response must satisfy:
\`tacit glasshouse check\` and a \`checker\` judge read it, everything else passes over it. \`wrong\` in \`facts.jsonl\` holds the same sentence with wrong values.
\`manifest.json\` has every count and hash.

Licence: Apache-2.0; all of it is invented by a program.
`;
}
