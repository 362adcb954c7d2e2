/** The sentences that are made of a step's events. */
import { expect, it } from "vitest";
import type { StepEvent } from "../records/events.js";
import type { Progress } from "../util/progress.js";
import { describeStanding, progressLine, showEvents } from "./step-progress.js";

const rows = { total: 1030, unit: "rows", reused: 30 } as const;

it.each([
  [rows, { done: 530, tokens: 5000 }, 10, "scoring: 530 of 1,030 rows, 500 tokens/s, 10.0 s left"],
  [rows, { done: 30 }, 10, "scoring: 30 of 1,030 rows"],
  [rows, { done: 530, tokens: 0 }, 0, "scoring: 530 of 1,030 rows, 0 ms left"],
])("%j, %j after %d s: %s", (plan, standing, seconds, line) => {
  expect(progressLine("score", plan, standing, seconds)).toBe(line);
});

it.each([
  [
    { total: 40, unit: "steps", reused: 0 },
    { done: 12, loss: 2.31849, epoch: 1 },
    "step 12 of 40, epoch 2, loss 2.318",
  ],
  [
    { total: 40, unit: "calls", reused: 0 },
    { done: 12, repeated: 2, dollars: 0.126 },
    "12 of 40 calls, 2 requests without a reply, $0.13",
  ],
] as const)("%j, %j: %s", (plan, standing, text) => {
  expect(describeStanding(plan, standing)).toBe(text);
});

it("what was kept and what is noted stands above the line, with nothing of a file's that moves the cursor", () => {
  const notes: string[] = [];
  const drawn: string[] = [];
  const progress: Progress = {
    update: (text) => void drawn.push(text()),
    note: (text) => void notes.push(text),
    clear: () => {},
  };
  const show = showEvents(progress);
  const at = (seconds: number) => ({ time: new Date(1000 * seconds).toISOString(), step: "score" });
  const events: StepEvent[] = [
    { ...at(0), event: "progress", done: 1 }, // of what is not known yet
    { ...at(0), event: "warning", text: "a \u001b[31m name" },
    { ...at(1), event: "begin", ...rows },
    { ...at(3), event: "progress", done: 130, tokens: 600 },
    { ...at(4), event: "end", outcome: { kind: "done" } },
  ];
  for (const event of events) show(event);
  expect(notes).toEqual(["warning: a \\u001b[31m name", "30 of 1,030 rows were finished before and are kept"]);
  expect(drawn).toEqual(["scoring: 130 of 1,030 rows, 300 tokens/s, 18.0 s left"]);
});
