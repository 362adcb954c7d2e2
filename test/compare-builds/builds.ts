/** Runs the commands of two builds, and says line by line where what they leave differs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { start } from "../kills/faults.js";
import { plainEnvironment } from "../staged-package.js";
import { type Case, casesOn } from "./cases.js";
import { writeInputs } from "./inputs.js";
import { openServer, type Server } from "./server.js";
import { comparedAs, differences, effort, type Tree, treeOf } from "./values.js";

export interface Compared {
  readonly name: string;
  /** None: equal. */
  readonly differences: readonly string[];
  /** What is told of it anyway: other words for a person, how an older result was taken. */
  readonly notes: readonly string[];
}

export interface Comparison {
  /** Package folders: with `dist/`, its assets and its node_modules. */
  readonly old: string;
  readonly now: string;
  /** Everything happens below it. What the old build left there is taken from an earlier comparison with the same commands. */
  readonly root: string;
  readonly wanted?: (name: string) => boolean;
  readonly onCompared?: (compared: Compared) => void;
}

/** Both builds work at one path, one after the other, and ask one address, so that neither tells them apart. */
interface Place {
  readonly here: string;
  readonly builds: readonly string[];
  readonly server: Server;
}

export async function compareBuilds({ old, now, root, wanted, onCompared }: Comparison): Promise<Compared[]> {
  mkdirSync(root, { recursive: true });
  const server = await openServer(join(root, "port"));
  const place: Place = { here: join(root, "here"), builds: [now, old], server };
  const cases = casesOn(server.url);
  const taken = cases.filter(({ name }) => wanted === undefined || wanted(name));
  const all: Compared[] = [];
  const done = (compared: Compared): void => {
    all.push(compared);
    onCompared?.(compared);
  };
  try {
    await onlyOnce(join(root, "old"), { build: old, cases }, (folder) => record(place, old, cases, folder));
    rmSync(join(root, "now"), { recursive: true, force: true });
    await record(place, now, taken, join(root, "now"));
    for (const one of taken) {
      const [before, after] = ["old", "now"].map((side) => join(root, side, slug(one.name)));
      done({ name: one.name, ...compareRuns(one, before!, after!) });
    }
    for (const one of taken.filter(({ killed }) => killed === true)) {
      const older = join(root, "killed", slug(one.name));
      await onlyOnce(older, { build: old, one }, (folder) => leaveOlder(place, old, one, folder));
      for (const compared of await compareResumed(place, now, one, older)) done(compared);
    }
    return all;
  } finally {
    await server.close();
  }
}

const slug = (name: string): string => name.replaceAll(/[^\w.]+/g, "-");

/** Makes a folder unless it is there, whole and made of the same. */
async function onlyOnce(folder: string, of: unknown, make: (folder: string) => Promise<void>): Promise<void> {
  const stamp = join(folder, "made-of.json");
  const text = JSON.stringify(of);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === text) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await make(folder);
  writeFileSync(stamp, text);
}

/** Everything that is compared of every case, below `folder`, as it is compared. */
async function record(place: Place, build: string, cases: readonly Case[], folder: string): Promise<void> {
  fresh(place);
  let known: Tree = new Map();
  for (const one of cases) {
    const { status, stdout, stderr, requests } = await run(place, build, one);
    const tree = treeOf(join(place.here, "out"), named(place));
    const left = join(folder, slug(one.name));
    const keep = (name: string, data: string | Buffer): void => {
      const path = join(left, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, data);
    };
    keep("status", String(status));
    keep("stderr.txt", comparedAs("stderr.txt", Buffer.from(withoutTimes(stderr)), namer(place)));
    keep("compared/stdout", comparedAs("stdout", Buffer.from(stdout), namer(place)));
    keep("compared/requests", requests);
    for (const [name, bytes] of tree) if (!known.get(name)?.equals(bytes)) keep(`compared/${name}`, bytes);
    known = tree;
  }
}

const named = ({ builds }: Place): [string, string][] => builds.map((build) => [build, "<package>"]);
const namer =
  (place: Place) =>
  (text: string): string =>
    named(place).reduce((result, [from, to]) => result.replaceAll(from, to), text);

const withoutTimes = (text: string): string =>
  text
    .replaceAll(/^\{.*\n/gm, "") // events
    .replaceAll(/\d+(\.\d+)? (s|ms|min|h|tokens\/s)\b/g, "<time>")
    .replaceAll(/[\d,.]+(?= (tokens|positions|rows|texts|pairs) a second)/g, "<speed>");

function compareRuns({ status = 0 }: Case, old: string, now: string): Pick<Compared, "differences" | "notes"> {
  const text = (side: string, name: string): string => readFileSync(join(side, name), "utf8");
  const ends = [old, now].flatMap((side, i) =>
    text(side, "status") === String(status)
      ? []
      : [
          `the ${i === 0 ? "old" : "new"} build ends with ${text(side, "status")}: ${text(side, "stderr.txt").slice(-300)}`,
        ],
  );
  const [before, after] = [old, now].map((side) => treeOf(join(side, "compared")));
  const words = [old, now].map((side) => new Map([["stderr.txt", Buffer.from(text(side, "stderr.txt"))]]));
  return { differences: [...ends, ...differences(before!, after!)], notes: differences(words[0]!, words[1]!, 4) };
}

/** What the old build leaves where it is killed, and where it is not. */
async function leaveOlder(place: Place, old: string, one: Case, folder: string): Promise<void> {
  const { operations } = await undisturbed(place, old, one);
  renameSync(join(place.here, "out"), join(folder, "finished"));
  await half(place, old, one, operations);
  renameSync(join(place.here, "out"), join(folder, "half"));
}

/**
 * A command that dies half way: of the new build, given again; of the old build, given to the new one, half done and finished. The result
 * is that of an undisturbed run, or the older one is refused in a line and left as it was.
 */
async function compareResumed(place: Place, now: string, one: Case, older: string): Promise<Compared[]> {
  const tree = (): Tree => treeOf(join(place.here, "out"), named(place), effort);
  const again = async (name: string, wanted: Tree): Promise<Compared> => {
    const found = tree();
    const { status, stderr, stdout, requests } = await run(place, now, one);
    const refused = status === 2 && !/\n\s+at /.test(stderr);
    const lines = differences(refused ? found : wanted, tree());
    if (status !== 0 && !refused) lines.push(`ends with ${status}: ${stderr.trim().slice(-300)}`);
    const asked = requests === "" ? [] : [`${requests.trim().split("\n").length} requests`];
    const notes = refused ? [`refused: ${stderr.trim().split("\n").at(-1)}`] : [...reuse(stdout), ...asked];
    return { name, differences: lines, notes: notes.length === 0 ? [] : [notes.join(", ")] };
  };
  const { operations, left } = await undisturbed(place, now, one);
  const wanted = left();
  await half(place, now, one, operations);
  const results = [await again(`${one.name}: new, killed, resumed by new`, wanted)];
  for (const state of ["half", "finished"]) {
    fresh(place);
    cpSync(join(older, state), join(place.here, "out"), { recursive: true });
    results.push(await again(`${one.name}: old, ${state}, given to new`, wanted));
  }
  return results;
}

function fresh({ here, server }: Place): void {
  rmSync(here, { recursive: true, force: true });
  writeInputs(here, server.url);
}

const scriptOf = (build: string): string => join(build, "dist", "cli", "main.js");

async function undisturbed(
  place: Place,
  build: string,
  { name, args }: Case,
): Promise<{ readonly operations: number; readonly left: () => Tree }> {
  fresh(place);
  const started = start({ script: scriptOf(build), folder: place.here }, args);
  const { status, stderr } = await started.ended;
  if (status !== 0) throw new Error(`${name} ends with ${status} although nothing disturbs it: ${stderr}`);
  return {
    operations: started.operations().length,
    left: () => treeOf(join(place.here, "out"), named(place), effort),
  };
}

async function half(place: Place, build: string, { args }: Case, operations: number): Promise<void> {
  fresh(place);
  const at = Math.ceil(0.6 * operations);
  await start({ script: scriptOf(build), folder: place.here }, args, { at, how: "kill" }).ended;
  place.server.requests();
}

/** What the summary says of work that was there already. */
const reuse = (stdout: string): string[] =>
  [...stdout.matchAll(/"(computed|reused|resumed|scored|spent)": ?([\w.]+)/g)].map(
    ([, key, value]) => `${key} ${value}`,
  );

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly requests: string;
}

async function run({ here, server }: Place, build: string, { args, input = "" }: Case): Promise<Ran> {
  const temporary = join(here, "tmp");
  mkdirSync(temporary, { recursive: true });
  const child = spawn(process.execPath, [scriptOf(build), ...args], {
    cwd: here,
    env: { ...plainEnvironment, TMPDIR: temporary, OPENAI_API_KEY: "sk-none", COLUMNS: "100" },
  });
  const text = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (chunk: string) => {
      text[stream] += chunk;
    });
  child.stdin.end(input);
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...text, requests: server.requests() };
}

/** The report: a line a case, and what differs below it. */
export const reportOf = (all: readonly Compared[]): string =>
  all
    .map(({ name, differences: lines, notes }) =>
      [
        `${lines.length === 0 ? "equal  " : "DIFFERS"}  ${name}\n`,
        ...lines.map((line) => `           ${line}\n`),
        ...notes.map((note) => `         - ${note}\n`),
      ].join(""),
    )
    .join("");

export const isBuild = (folder: string): boolean => existsSync(scriptOf(folder));
