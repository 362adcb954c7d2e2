import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Study, type StudyInput, studySchema } from "../../records/study-file.js";
import { startable, statesOf } from "../run/schedule.js";
import { definitionOf, type Step } from "../steps.js";
import { buildGraph } from "./graph.js";
import type { Graph } from "./graph-builder.js";
import { checkNames } from "./names.js";
import type { Inputs } from "./sources.js";

const base: StudyInput = {
  version: 1,
  name: "s",
  about: "x",
  models: { m: { path: "m" } },
  data: { rows: "rows.jsonl", task: "task.jsonl", val: "val.jsonl", prompts: "p.json" },
  arms: {
    instruction: { kind: "instruction", data: "rows" },
    response: { kind: "response", data: "rows" },
    untuned: { kind: "untuned" },
  },
  seeds: [1, 2],
  epochs: [1, 3],
  selection: { measure: "loss", data: "val" },
  generation: { prompts: "prompts", max_new_tokens: 8 },
  judge: "longer",
  comparisons: [{ arm: ["response", "untuned"], against: "instruction" }],
  analyses: [{ kind: "ranking", data: "val" }],
};

/** Every input is there; its hash is its name. */
const inputs: Inputs = {
  all: [],
  get: (role, name) => ({ role, name, path: name, spec: `${name}.jsonl`, hash: `hash of ${name}` }),
};
const settings = { tacit: "0", engine: "e", threads: 1 };
const ALL = new Map([
  ["m/instruction", 3],
  ["m/response", 1],
]);

const graphOf = (change: Partial<StudyInput> = {}, choices: ReadonlyMap<string, number> = ALL): Graph => {
  const study: Study = studySchema.parse({ ...base, ...change });
  expect(checkNames(study)).toBeUndefined();
  return buildGraph({ study, inputs, settings, choices });
};
const keysOf = ({ steps }: Graph): Map<string, string | undefined> =>
  new Map(steps.map(({ id, plan }) => [id, plan?.key]));

describe("the graph", () => {
  it("has every step after what it needs, each with an id of its own", () => {
    for (const graph of [graphOf(), graphOf({}, new Map()), graphOf({ epochs_from: "checkpoints" })]) {
      const seen = new Set<string>();
      for (const { id, needs } of graph.steps) {
        expect(seen.has(id)).toBe(false);
        expect(needs.filter((need) => !seen.has(need))).toEqual([]);
        seen.add(id);
      }
    }
  });
  it("tunes each number of epochs apart, or once and keeps every epoch", () => {
    const tunes = (graph: Graph): string[] => graph.steps.filter(({ kind }) => kind === "tune").map(({ id }) => id);
    expect(tunes(graphOf()).slice(0, 4)).toEqual([
      ...["tune/m/instruction/seed-1/epochs-1", "tune/m/instruction/seed-1/epochs-3"],
      ...["tune/m/instruction/seed-2/epochs-1", "tune/m/instruction/seed-2/epochs-3"],
    ]);
    expect(tunes(graphOf()).length).toBe(8);
    expect(tunes(graphOf({ epochs_from: "checkpoints" }))).toEqual([
      ...["tune/m/instruction/seed-1", "tune/m/instruction/seed-2", "tune/m/response/seed-1", "tune/m/response/seed-2"],
    ]);
  });
  it("leaves open what a choice decides, and nothing that it does not", () => {
    const open = graphOf({}, new Map([["m/response", 1]]))
      .steps.filter(({ plan }) => plan === undefined)
      .map(({ id }) => id);
    expect(open).toEqual([
      ...["generate/test/m/instruction/seed-1", "generate/test/m/instruction/seed-2"],
      ...["judge/test/m/response-against-instruction/seed-1", "judge/test/m/response-against-instruction/seed-2"],
      "compare/m/response-against-instruction",
      ...["judge/test/m/untuned-against-instruction/seed-1", "judge/test/m/untuned-against-instruction/seed-2"],
      "compare/m/untuned-against-instruction",
      ...["rank/ranking/m/instruction/seed-1", "rank/ranking/m/instruction/seed-2"],
    ]);
  });
  it("compares the same seeds, and an arm without seeds with every seed of the other", () => {
    const compare = graphOf()
      .steps.filter(({ kind }) => kind === "compare")
      .map(({ plan }) => plan?.work);
    const pairs = compare.map((work) =>
      work?.kind === "compare" ? work.pairs.map((p) => [p.seed, p.epochs, p.againstSeed, p.againstEpochs]) : [],
    );
    expect(pairs).toEqual([
      [
        [1, 1, 1, 3],
        [2, 1, 2, 3],
      ],
      [
        [null, null, 1, 3],
        [null, null, 2, 3],
      ],
    ]);
  });
  it("tunes the seeds that the choice does not rest on for the chosen epochs alone", () => {
    const selection: StudyInput["selection"] = { measure: "loss", data: "val", seeds: [1] };
    const tunes = graphOf({ selection })
      .steps.filter(({ kind }) => kind === "tune")
      .map(({ id }) => id);
    expect(tunes.filter((id) => id.includes("response"))).toEqual([
      ...["tune/m/response/seed-1/epochs-1", "tune/m/response/seed-1/epochs-3", "tune/m/response/seed-2/epochs-1"],
    ]);
    const open = graphOf({ selection }, new Map()).steps.filter(
      ({ kind, plan }) => kind === "tune" && plan === undefined,
    );
    expect(open.map(({ id }) => id)).toEqual(["tune/m/instruction/seed-2", "tune/m/response/seed-2"]);
  });
  it("needs no choice where there is one number of epochs, and says what is left out without a judge", () => {
    const graph = graphOf({ epochs: [2], judge: null });
    expect(graph.steps.map(({ kind }) => kind)).not.toContain("choose");
    expect(graph.steps.every(({ plan }) => plan !== undefined)).toBe(true);
    expect(graph.leftOut.map(({ what }) => what)).toEqual([
      "response against instruction",
      "untuned against instruction",
    ]);
  });
});

describe("keys", () => {
  const changedIds = (change: Partial<StudyInput>): string[] => {
    const [before, after] = [keysOf(graphOf()), keysOf(graphOf(change))];
    return [...after].filter(([id, key]) => before.get(id) !== key).map(([id]) => id);
  };
  it("change with one arm for that arm alone, and for what reads it", () => {
    const arms = { ...base.arms, response: { kind: "response", data: "rows", tune: { lr: 1 } } } as const;
    const changed = changedIds({ arms });
    expect(changed.length).toBeGreaterThan(10);
    expect(changed.filter((id) => !id.includes("response"))).toEqual([]);
    expect(
      changedIds({ arms: { ...base.arms, untuned: { kind: "untuned", template: { user_tag: "<|A|>" } } } }).filter(
        (id) => !id.includes("untuned"),
      ),
    ).toEqual([]);
  });
  it("do not change with what does not decide a result", () => {
    expect(
      changedIds({
        tune: { checkpoint_every: 7 },
        generation: { prompts: "prompts", max_new_tokens: 8, batch: 3 },
        about: "other words",
      }),
    ).toEqual([]);
  });
  it("do not depend on which other arms, seeds, comparisons and analyses there are", () => {
    const subset = fc.record({
      seeds: fc.constantFrom<number[]>([1], [2], [2, 1]),
      untuned: fc.boolean(),
      analyses: fc.boolean(),
    });
    const all = keysOf(graphOf());
    fc.assert(
      fc.property(subset, ({ seeds, untuned, analyses }) => {
        const { untuned: _, ...tuned } = base.arms;
        const some = graphOf({
          seeds,
          arms: untuned ? base.arms : tuned,
          comparisons: untuned ? (base.comparisons ?? []) : [],
          analyses: analyses ? (base.analyses ?? []) : [],
        });
        const kinds = ["tune", "score", "generate", "rank"]; // a choice and a comparison are of their seeds
        const others = some.steps.filter(({ id, kind, plan }) => kinds.includes(kind) && all.get(id) !== plan?.key);
        expect(others.map(({ id }) => id)).toEqual([]);
      }),
      { numRuns: 24 },
    );
  });
});

describe("the schedule", () => {
  const { steps } = graphOf();
  const room = { computing: 1, fits: () => true };
  const done = (ids: readonly string[]) =>
    new Map(steps.filter(({ id }) => ids.includes(id)).map(({ plan }) => [plan?.key ?? "", { kind: "done" as const }]));
  const byId = (id: string): Step => steps.find((step) => step.id === id)!;

  it("gives answers before it tunes, and one computation at a time", () => {
    expect(startable(steps, new Map(), [], room).map(({ id }) => id)).toEqual(["generate/test/m/untuned"]);
    expect(startable(steps, new Map(), [byId("generate/test/m/untuned")], room)).toEqual([]);
  });
  it("tunes one model at a time however much room there is, and judges beside it", () => {
    const wide = { computing: 8, fits: () => true };
    const first = startable(steps, new Map(), [], wide).map(({ kind }) => kind);
    expect(first.filter((kind) => kind === "tune")).toHaveLength(1);
    const answered = done(steps.filter(({ kind }) => kind !== "judge" && kind !== "compare").map(({ id }) => id));
    const judging = startable(steps, answered, [byId("tune/m/response/seed-1/epochs-1")], room);
    expect(judging.map(({ id }) => id)).toEqual(["judge/test/m/response-against-instruction/seed-1"]);
  });
  it("waits where the memory is not there", () => {
    const tight = { computing: 8, fits: () => false };
    expect(startable(steps, new Map(), [], tight)).toHaveLength(1);
  });
  it("blocks what needs a failure, however far, and nothing else", () => {
    const failed = byId("tune/m/response/seed-1/epochs-1").plan!.key;
    const states = statesOf(steps, new Map([[failed, { kind: "failed", reason: "r", remedy: null, defect: false }]]));
    const blocked = steps.filter(({ id }) => states.get(id) === "blocked").map(({ id }) => id);
    expect(blocked).toContain("compare/m/response-against-instruction");
    expect(blocked.filter((id) => !id.includes("response"))).toEqual([]);
    expect(states.get("compare/m/untuned-against-instruction")).toBe("to-do");
  });
  it("comes to an end in any order, each step once", () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), fc.integer({ min: 1, max: 4 }), (order, computing) => {
        const outcomes = new Map<string, { kind: "done" }>();
        const running: Step[] = [];
        const begun: string[] = [];
        for (let turn = 0; turn < 1000; turn++) {
          const next = startable(steps, outcomes, running, { computing, fits: () => true });
          begun.push(...next.map(({ id }) => id));
          running.push(...next);
          expect(running.filter(({ kind }) => definitionOf(kind).lane === "computing").length).toBeLessThanOrEqual(
            computing,
          );
          if (running.length === 0) break;
          const [ended] = running.splice((order.next().value ?? 0) % running.length, 1);
          outcomes.set(ended!.plan!.key, { kind: "done" });
        }
        expect(begun.sort()).toEqual(steps.map(({ id }) => id).sort());
      }),
      { numRuns: 24 },
    );
  });
});
