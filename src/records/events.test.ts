/** How a step speaks: the order of its events, the end that comes once, what a log keeps of them. */
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { asFlag } from "../options/tables.js";
import { Interrupted, UserError } from "../util/errors.js";
import { openLineLog } from "../util/line-log.js";
import { option, words } from "../util/words.js";
import { readEvent } from "./event-line.js";
import { type StepEvent, thinned, watched } from "./events.js";

const files = temporaryFolder();

const linesOf = (path: string): StepEvent[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => readEvent(JSON.parse(line)));

/** What a step that does `work` says. */
async function said(work: () => Promise<unknown>): Promise<StepEvent[]> {
  const events: StepEvent[] = [];
  const onEvent = (event: StepEvent): void => void events.push(event);
  await watched("score", { onEvent }, work).catch(() => {});
  return events;
}

describe("the end", () => {
  it.each([
    ["done", undefined, { kind: "done" }],
    [
      "a mistake",
      new UserError("no", { remedy: "yes" }),
      { kind: "failed", reason: "no", remedy: "yes", defect: false },
    ],
    [
      "a defect",
      new TypeError("x is undefined"),
      { kind: "failed", reason: "x is undefined", remedy: null, defect: true },
    ],
    ["stopped", new Interrupted("kept"), { kind: "interrupted" }],
  ])("of a step: %s", async (_, error, outcome) => {
    const events = await said(() => (error === undefined ? Promise.resolve() : Promise.reject(error)));
    expect(events).toMatchObject([{ step: "score", event: "end", outcome }]);
  });

  it("is the error of the step, also where the listener fails at it", async () => {
    const onEvent = (): void => {
      throw new Error("the listener");
    };
    await expect(watched("score", { onEvent }, () => Promise.reject(new Error("the step")))).rejects.toThrow(
      "the step",
    );
    await expect(watched("score", { onEvent }, async () => 1)).rejects.toThrow("the listener");
  });
});

it("a log has every event from the first on, progress at most once a second, and every run behind the other", async () => {
  const path = files.path("events.jsonl");
  const run = (): Promise<void> =>
    watched("rank", {}, async (say) => {
      say.note("before the folder is ours");
      await say.keepIn(path);
      say.begin({ total: 100, unit: "instructions", reused: 0 });
      for (let done = 1; done <= 100; done++)
        say.progress({ done, tokens: 7 * done, loss: 1 / done, dollars: undefined });
      say.warning("one row is odd");
    });
  await run();
  const first = linesOf(path);
  expect(first.map(({ event }) => event)).toEqual(["note", "begin", "progress", "progress", "warning", "end"]);
  expect(first[3]).toMatchObject({ done: 100, tokens: 700, loss: 0.01 });
  await run();
  expect(linesOf(path).slice(0, 6)).toEqual(first);
  expect(linesOf(path)).toHaveLength(12);
});

it("a log that can no longer be written is told of once, and the run continues", async () => {
  const lost: string[] = [];
  const log = await openLineLog(files.path("lost.jsonl"), (reason) => lost.push(reason));
  await log.close();
  for (const line of [1, 2, 3]) log.append(line);
  expect(lost).toHaveLength(1);
});

it("options are spelled as those read them who watch", async () => {
  const events: StepEvent[] = [];
  const watch = { onEvent: (event: StepEvent) => void events.push(event), spelling: asFlag };
  const mistake = new UserError("no", { remedy: words`pass ${option("microTokens", 512)}` });
  await watched("tune", watch, () => Promise.reject(mistake)).catch(() => {});
  expect(events).toMatchObject([{ outcome: { remedy: "pass --micro-tokens 512" } }]);
});

it("half a line that a killed process left is taken off", async () => {
  const path = files.path("torn.jsonl");
  const event = { time: "2026-01-01T00:00:00.000Z", step: "rank", event: "note", text: "x" } as const;
  writeFileSync(path, `${JSON.stringify(event)}\n{"time": "2026`);
  const log = await openLineLog(path, () => {});
  log.append(event);
  await log.close();
  expect(linesOf(path)).toEqual([event, event]);
});

it("thinning loses no last word: whatever the times, what precedes another event of the step gets through", () => {
  const at = (ms: number) => ({ time: new Date(ms).toISOString(), step: "s" });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5000), fc.boolean()), { minLength: 1, maxLength: 30 }), (moments) => {
      const given: StepEvent[] = moments.map(([ms, progress], i) =>
        progress ? { ...at(ms), event: "progress", done: i } : { ...at(ms), event: "note", text: `${i}` },
      );
      given.push({ ...at(0), event: "end", outcome: { kind: "done" } });
      const kept: StepEvent[] = [];
      const sink = thinned((event) => kept.push(event));
      for (const event of given) sink(event);
      expect(kept).toEqual(given.filter((event) => kept.includes(event))); // in order, none twice
      const must = given.filter((event, i) => event.event !== "progress" || given[i + 1]?.event !== "progress");
      for (const event of must) expect(kept).toContain(event);
    }),
  );
});
