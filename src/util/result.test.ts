/** Files of one result: together or not at all, by one at a time, resumed after a kill. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { UserError } from "./errors.js";
import { lockPathOf } from "./lock.js";
import { openResult, type ResultPlan } from "./result.js";

const folder = temporaryFolder();
let count = 0;

interface Line {
  readonly key: string;
  readonly value: number;
}
const parse = (value: unknown): Line => value as Line;

function fresh(changes: Partial<ResultPlan> = {}) {
  const out = folder.path(`result-${count++}/below/out.json`);
  const plan: ResultPlan = {
    main: out,
    beside: [join(dirname(out), "out.run.json")],
    ledger: join(dirname(out), "out.partial.jsonl"),
    inputs: [],
    force: false,
    ...changes,
  };
  const names = (): string[] => (existsSync(dirname(out)) ? readdirSync(dirname(out)).sort() : []);
  return { plan, out, names, run: plan.beside[0] as string };
}

/** Two lines of work; `stopAfter` of them are done before it stops. */
async function make(plan: ResultPlan, { stopAfter = 2, keys = ["a", "b"], run = "{}" } = {}): Promise<number> {
  const result = await openResult(plan);
  try {
    const finished = await result.finished(parse, keys);
    let computed = 0;
    for (const [i, key] of keys.entries()) {
      if (i === stopAfter) throw new Error("stopped");
      if (finished.get(key) !== undefined) continue;
      await finished.add({ key, value: i });
      computed++;
    }
    await result.write(
      plan.main,
      keys.map((key) => `${key} ${finished.get(key)?.value}\n`),
    );
    for (const path of plan.beside) await result.write(path, run);
    await result.commit();
    return computed;
  } finally {
    await result[Symbol.asyncDispose]();
  }
}

/** As a process that was killed leaves its lock. */
const leaveLock = (main: string): void =>
  writeFileSync(lockPathOf(main), JSON.stringify({ pid: process.pid, host: hostname(), began: "1", token: "dead" }));

describe("a result", () => {
  it("is there whole, and nothing else is", async () => {
    const { plan, names, out } = fresh();
    expect(await make(plan)).toBe(2);
    expect(names()).toEqual(["out.json", "out.run.json"]);
    expect(readFileSync(out, "utf8")).toBe("a 0\nb 1\n");
  });
  it("is not there when the work stops; the same call resumes it, also with force, and to the same bytes", async () => {
    for (const force of [false, true]) {
      const { plan, names, out } = fresh({ force });
      await expect(make(plan, { stopAfter: 1 })).rejects.toThrow("stopped");
      expect(names()).toEqual(["out.partial.jsonl"]);
      expect(await make(plan)).toBe(1);
      expect(names()).toEqual(["out.json", "out.run.json"]);
      expect(readFileSync(out, "utf8")).toBe("a 0\nb 1\n");
    }
  });
  it("that could not begin leaves no folder behind", async () => {
    const { plan, out } = fresh();
    await expect(make(plan, { stopAfter: 0 })).rejects.toThrow("stopped");
    expect(existsSync(dirname(dirname(out)))).toBe(false);
  });
  it("is replaced with force alone, and then made from the start", async () => {
    const { plan, out, names } = fresh();
    await make(plan);
    await expect(make(plan)).rejects.toThrow(`${out} already exists`);
    expect(await make({ ...plan, force: true }, { run: "again" })).toBe(2);
    expect(names()).toEqual(["out.json", "out.run.json"]);
  });
  it("does not replace a stranger's file beside it", async () => {
    const { plan, run, names } = fresh();
    mkdirSync(dirname(run), { recursive: true });
    writeFileSync(run, "mine");
    await expect(make(plan)).rejects.toThrow(`${run} already exists`);
    expect(names()).toEqual(["out.run.json"]);
    expect(readFileSync(run, "utf8")).toBe("mine");
  });
  it("is made by one at a time", async () => {
    const { plan, out } = fresh();
    const first = await openResult(plan);
    const error = await make(plan).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toBe(`${out} is in use by process ${process.pid}`);
    await first[Symbol.asyncDispose]();
    expect(await make(plan)).toBe(2);
  });
});

describe("after a kill", () => {
  it("between the main file and those beside it, the same call makes what is missing", async () => {
    for (const withLedger of [true, false]) {
      const { plan, run, out, names } = fresh();
      const { ledger, ...short } = plan;
      await make(plan);
      rmSync(run);
      leaveLock(out);
      if (withLedger) writeFileSync(ledger as string, '{"key":"a","value":0}\n{"key":"b","value":1}\n');
      writeFileSync(join(dirname(out), ".out.json.123456.partial"), "another result's, perhaps");
      expect(await make(withLedger ? plan : short, { run: "again" })).toBe(withLedger ? 0 : 2);
      expect(names()).toEqual([".out.json.123456.partial", "out.json", "out.run.json"]);
      expect(readFileSync(run, "utf8")).toBe("again");
    }
  });
  it("what lies beside a main file that is missing is somebody else's, and stays", async () => {
    const { plan, run, out } = fresh();
    await make(plan);
    rmSync(out);
    leaveLock(out);
    await expect(make(plan, { run: "mine" })).rejects.toThrow(`${run} already exists`);
    expect(readFileSync(run, "utf8")).toBe("{}");
  });
  it("while a file was being written, half of it goes away", async () => {
    const { plan, names } = fresh();
    const first = await openResult(plan);
    await first.write(plan.main, "half of i");
    expect(names()).toHaveLength(2); // the lock, and the file under construction
    leaveLock(plan.main);
    expect(await make(plan)).toBe(2);
    expect(names()).toEqual(["out.json", "out.run.json"]);
  });
  it("at the very end, the same call ends well and computes nothing; another one is refused", async () => {
    const { plan, out, names } = fresh();
    await make(plan);
    const ledger = plan.ledger as string;
    writeFileSync(ledger, '{"key":"a","value":0}\n{"key":"b","value":1}\n');
    await expect(make(plan, { keys: ["a", "b", "c"], stopAfter: 3 })).rejects.toThrow(`${out} already exists`);
    await expect(make(plan, { keys: ["b"] })).rejects.toThrow(`${out} already exists`); // other bytes
    expect(await make(plan)).toBe(0);
    expect(names()).toEqual(["out.json", "out.run.json"]);
  });
  it("without a ledger, the work is done again and must come out the same", async () => {
    const { plan, out, names } = fresh();
    const { ledger: _, ...short } = plan;
    await make(short);
    leaveLock(out);
    await expect(make(short, { keys: ["b"] })).rejects.toThrow(`${out} already exists`);
    leaveLock(out);
    expect(await make(short)).toBe(2);
    expect(names()).toEqual(["out.json", "out.run.json"]);
  });
  it("that hit a forced run, the old result is replaced only with force", async () => {
    const { plan, out } = fresh();
    await make(plan);
    await expect(make({ ...plan, force: true }, { keys: ["c", "d"], stopAfter: 1 })).rejects.toThrow("stopped");
    expect(readFileSync(out, "utf8")).toBe("a 0\nb 1\n");
    leaveLock(out);
    await expect(make(plan, { keys: ["c", "d"] })).rejects.toThrow(`${out} already exists`);
    expect(await make({ ...plan, force: true }, { keys: ["c", "d"] })).toBe(1);
    expect(readFileSync(out, "utf8")).toBe("c 0\nd 1\n");
  });
});

it("where one file cannot appear, none of the new ones stays, and the same call resumes", async () => {
  const { plan, out, names } = fresh();
  const result = await openResult(plan);
  const finished = await result.finished(parse, ["a", "b"]);
  await finished.add({ key: "a", value: 0 });
  for (const path of [plan.main, ...plan.beside]) await result.write(path, "x");
  mkdirSync(join(out, "in the way"), { recursive: true });
  await expect(result.commit()).rejects.toThrow();
  await result[Symbol.asyncDispose]();
  expect(names()).toEqual(["out.json", "out.partial.jsonl"]);
  rmSync(out, { recursive: true });
  expect(await make(plan)).toBe(1);
});
