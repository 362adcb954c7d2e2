/** Scoring from file to file: both kinds of rows, values against the engine's, resumption, refusals. */
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mockEngine } from "../../test/mock-engine.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { Engine } from "../engine/engine.js";
import type { ScoreRequest } from "../engine/requests.js";
import type { StepEvent } from "../records/events.js";
import { scoreOutputSchema, scoreRunSchema } from "../records/scores.js";
import { Interrupted } from "../util/errors.js";
import { score, scorePaths } from "./score.js";

const folder = join(import.meta.dirname, "..", "..", "test", "fixtures", "models", "llama");
const files = temporaryFolder();
const rows = [
  { id: "text", instruction: " Name a sea. ", response: " The sea. " },
  { prompt_ids: [1, 7, 8], response_ids: [9, 10] },
  { id: 3, prompt_ids: [1, 7, 8], response_ids: [9, 10] },
];
const input = files.write("rows.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
/** A number that says which id it stands for, and what came before it. */
const logprobs = ({ promptIds, responseIds }: ScoreRequest): number[] =>
  responseIds.map((id) => -id - promptIds.length / 8);
const base = { model: folder };

describe("results", () => {
  it("hold one value a response token, EOS last, in the order of the rows", async () => {
    const out = files.path("scores.jsonl");
    const engine = mockEngine({ logprobs, order: (all) => [...all].reverse() });
    const { scores, run } = await score({ ...base, input, out, engine });
    const written = (await readFile(out, "utf8")).trim().split("\n");
    expect(written.map((line) => scoreOutputSchema.parse(JSON.parse(line)))).toEqual(scores);
    expect(scores.map(({ id }) => id)).toEqual(["text", "row_1", "3"]);
    expect(scores[1]).toEqual({ id: "row_1", logprobs: [-9.375, -10.375], sum: -19.75, mean: -9.875, tokens: 2 });
    expect({ ...scores[2], id: "row_1" }).toEqual(scores[1]);
    expect(run.outcome).toMatchObject({ computed: 2, reused: 0, duplicates: 1 });
    const asked = engine.scored[0]!;
    expect(asked.length).toBe(2); // equal rows are computed once
    expect(asked[0]!.responseIds.at(-1)).toBe(2);
    expect(scoreRunSchema.parse(JSON.parse(await readFile(scorePaths(out).run, "utf8")))).toEqual(run);
    expect(existsSync(scorePaths(out).partial)).toBe(false);
  });

  it("keep what there is to say of the model's files, also where nothing is left to score", async () => {
    const out = files.path("noted.jsonl");
    const notes = ["lm_head.weight is stored and differs"];
    const engine = mockEngine({ logprobs, notes });
    const controller = new AbortController();
    const onEvent = (event: StepEvent) => {
      if (event.event === "progress" && event.done === 2) controller.abort(new Interrupted("after the last row"));
    };
    const stopped = score({ ...base, input, out, engine }, { signal: controller.signal, onEvent });
    await expect(stopped).rejects.toThrow("after the last row");
    const fail = () => {
      throw new Error("asked again");
    };
    const failing: Engine = { ...engine, open: async (ref) => ({ ...(await engine.open(ref)), score: fail }) };
    const { run } = await score({ ...base, input, out, engine: failing });
    expect(run.model.notes).toEqual(notes);
    expect(scoreRunSchema.parse(JSON.parse(await readFile(scorePaths(out).run, "utf8"))).model.notes).toEqual(notes);
    expect((await score({ ...base, input, engine: mockEngine({ logprobs }) })).run.model).not.toHaveProperty("notes");
  });

  it("of an older version in the ledger are not used, and a note says so; its own are used without a word", async () => {
    const out = files.path("older.jsonl");
    const heard: string[] = [];
    const onEvent = (event: StepEvent) => void (event.event === "note" && heard.push(event.text));
    const older = ["a", "b"].map((key) => `${JSON.stringify({ key: key.repeat(32), logprobs: [-1, -2] })}\n`);
    writeFileSync(scorePaths(out).partial, older.join(""));
    const { run } = await score({ ...base, input, out, engine: mockEngine({ logprobs }) }, { onEvent });
    expect(run.outcome).toMatchObject({ computed: 2, reused: 0 });
    expect(heard).toEqual([
      "the ledger holds 2 results of other options, other input or an older version; they are not used",
    ]);
    const own = { ...base, input, out: files.path("own.jsonl"), engine: mockEngine({ logprobs }) };
    const controller = new AbortController();
    const stop = (event: StepEvent) => {
      if (event.event === "progress" && event.done === 1) controller.abort(new Interrupted("after a row"));
    };
    await expect(score(own, { signal: controller.signal, onEvent: stop })).rejects.toThrow("after a row");
    heard.length = 0;
    expect((await score(own, { onEvent })).run.outcome.reused).toBeGreaterThan(0);
    expect(heard).toEqual([]);
  });

  it("leave the EOS out where asked to", async () => {
    const engine = mockEngine({ logprobs });
    const [row] = rows;
    const withEos = await score({ ...base, input: [row!], engine });
    const without = await score({ ...base, input: [row!], engine, eos: false });
    expect(without.scores[0]!.logprobs).toEqual(withEos.scores[0]!.logprobs.slice(0, -1));
  });

  it("are those of the embedded engine by default, the same for texts and their ids", async () => {
    const { scores } = await score({ ...base, threads: 1, input });
    expect(scores.every(({ logprobs: found }) => found.every((value) => value < 0 && Number.isFinite(value)))).toBe(
      true,
    );
    expect(scores[0]!.sum).toBeCloseTo(
      scores[0]!.logprobs.reduce((a, b) => a + b, 0),
      10,
    );
  });
});

it("an input is a part of the prompt, as in data to train on", async () => {
  const row = { instruction: "Translate.", response: "une carpe" };
  const engine = mockEngine({ logprobs });
  await score({
    ...base,
    input: files.write("input.json", JSON.stringify([{ ...row, input: "a carp", source: "x" }])),
    engine,
  });
  await score({ ...base, input: [{ ...row, instruction: "Translate.\n\na carp" }], engine });
  const [first, second] = engine.scored.map(([request]) => request?.promptIds);
  expect(first).toEqual(second);
});

it.each(["[]", "lines", "given"])("rows of one id are rows of their own (%s)", async (kind) => {
  const same = ["a", "b", "c", "a"].map((response) => ({ id: "q", instruction: "Hi there", response }));
  const path = files.write(
    "same.json",
    kind === "[]" ? JSON.stringify(same) : same.map((row) => JSON.stringify(row)).join("\n"),
  );
  const { scores, run } = await score({
    ...base,
    input: kind === "given" ? same : path,
    engine: mockEngine({ logprobs }),
  });
  expect(scores.map(({ id }) => id)).toEqual(["q", "q", "q", "q"]);
  expect(scores[0]).toEqual(scores[3]);
  expect(new Set(scores.map(({ sum }) => sum)).size).toBe(3);
  expect(run.outcome).toMatchObject({ computed: 3, duplicates: 1 });
});

it("a stopped run keeps what was scored, and the next scores the rest", async () => {
  const out = files.path("stopped.jsonl");
  const controller = new AbortController();
  const mock = mockEngine({ logprobs });
  const watch = {
    signal: controller.signal,
    onEvent: ({ event }: StepEvent) => event === "progress" && controller.abort(new Interrupted("kept")),
  };
  await expect(score({ ...base, input, out, engine: mock }, watch)).rejects.toThrow(Interrupted);
  expect(existsSync(out)).toBe(false);
  const again = mockEngine({ logprobs });
  const { run } = await score({ ...base, input, out, engine: again });
  expect([again.scored[0]!.length, run.outcome.reused]).toEqual([1, 1]);
});

it("says what is to be done, how far it is, and how it ended", async () => {
  const events: StepEvent[] = [];
  const onEvent = (event: StepEvent): void => void events.push(event);
  await score({ ...base, input, engine: mockEngine({ logprobs }) }, { onEvent });
  await expect(score({ ...base, input: [], engine: mockEngine({ logprobs }) }, { onEvent })).rejects.toThrow();
  expect(events.map(({ time: _, ...event }) => event)).toEqual([
    { step: "score", event: "begin", total: 2, unit: "rows", reused: 0 },
    { step: "score", event: "progress", done: 1, tokens: 4 },
    { step: "score", event: "progress", done: 2, tokens: 6 },
    { step: "score", event: "end", outcome: { kind: "done" } },
    {
      step: "score",
      event: "end",
      outcome: { kind: "failed", reason: "there are no rows to score", remedy: "give at least one", defect: false },
    },
  ]);
});

describe("refusals", () => {
  it("scores in place of the rows, also when forced, and also behind a link", async () => {
    const rows = files.write("own.jsonl", `${JSON.stringify({ instruction: "a", response: "b" })}\n`);
    const link = files.path("link.jsonl");
    symlinkSync(rows, link);
    for (const out of [rows, link]) {
      const scored = score({ ...base, input: rows, out, force: true, engine: mockEngine() });
      await expect(scored).rejects.toThrow(`${out} would replace an input`);
    }
    expect(await readFile(rows, "utf8")).toContain("instruction");
  });
  const refused = async (value: unknown, engine: Engine = mockEngine()) =>
    score({ ...base, input: files.write("bad.jsonl", `\n${JSON.stringify(value)}\n`), engine }).then(
      () => "accepted",
      (error: Error) => error.message.replace(/^.*bad\.jsonl/, "bad.jsonl"),
    );
  it.each([
    [{ instruction: "x" }, "bad.jsonl:2: neither {instruction, response} nor {prompt_ids, response_ids}"],
    [{ instruction: "x", response: "y", system: "S" }, 'bad.jsonl:2: "system" would be lost'],
    [
      { instruction: "x", response: "y", messages: [{ role: "user", content: "z" }] },
      'bad.jsonl:2: "messages" would be',
    ],
    [{ instruction: "x", prompt_ids: [1], response_ids: [2] }, "bad.jsonl:2: texts and ids in one row"],
    [{ instruction: "x", response: "y", prompt_ids: [1] }, "bad.jsonl:2: texts and ids in one row"],
    [{ instruction: "x", input: 5, response: "y" }, 'bad.jsonl:2: "input" is a number, not a text'],
    [{ prompt_ids: [1], response_ids: [-1] }, "bad.jsonl:2: neither"],
    [{ prompt_ids: [1], response_ids: [] }, "bad.jsonl:2: the response has no tokens, so there is nothing to score"],
    [{ prompt_ids: [], response_ids: [1] }, "bad.jsonl:2: the prompt has no ids"],
  ])("%j: %s", async (value, message) => expect(await refused(value)).toContain(message));

  it("a value that is no number is an error and never a score", async () => {
    const engine = mockEngine({ logprobs: ({ responseIds }) => responseIds.map(() => Number.NaN) });
    expect(await refused({ prompt_ids: [1], response_ids: [2] }, engine)).toContain("a log-probability is NaN");
  });
  it("an engine that cannot score, and one that is given together with another's precision", async () => {
    const [engine, mute] = [mockEngine(), mockEngine({ without: ["score"] })];
    const [model, precision] = ["nowhere", "q8"] as const;
    await expect(score({ ...base, input, engine: mute })).rejects.toThrow("gives no log-probabilities");
    expect(mute.held()).toBe(0);
    await expect(score({ ...base, model, input, engine, precision })).rejects.toThrow(
      "an engine is given, and precision as well",
    );
  });
  it("no rows, and a file of another kind", async () => {
    await expect(score({ ...base, input: [] })).rejects.toThrow("there are no rows to score");
    await expect(score({ ...base, input: "rows.csv" })).rejects.toThrow('"rows.csv" does not end in .jsonl or .json');
  });
});
