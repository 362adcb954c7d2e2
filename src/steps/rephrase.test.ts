import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { openingOf } from "../data/rephrase/opening.js";
import { overlap } from "../data/rephrase/overlap.js";
import { parseVerdict } from "../data/rephrase/verdicts.js";
import { UserError } from "../util/errors.js";
import { rephrase, rephrasePaths } from "./rephrase.js";

const folder = temporaryFolder();
const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const rows = [
  {
    id: "a",
    messages: [user("Give me tips for baking bread."), assistant("Here are some tips for baking bread:\n\n1. Wait.")],
  },
  { id: "b", messages: [user("Name a colour."), assistant("Blue.")] },
  {
    id: "c",
    messages: [
      user("How do owls hunt?"),
      assistant("They listen."),
      user("Tell me a joke about tomatoes"),
      assistant("Here is a joke about tomatoes."),
    ],
  },
];
const data = folder.write("rows.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
const read = (path: string) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { id: string; messages: Record<string, string>[] });

describe("by overlap", () => {
  it("takes restatements off, keeps what would be empty, and loses nothing", async () => {
    const out = folder.path("overlap.jsonl");
    const summary = await rephrase({ data, out, method: { kind: "overlap" } });
    expect(summary).toMatchObject({
      rows_in: 3,
      rows_out: 3,
      exchanges: 4,
      rewritten: 1,
      plain: 2,
      kept: { "nothing-left": 1 },
      unjudged: {},
      rows_rewritten: 1,
    });
    const written = read(out);
    expect(written.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(written[0]!.messages[1]).toEqual({
      role: "assistant",
      content: "1. Wait.",
      content_old: "Here are some tips for baking bread:\n\n1. Wait.",
    });
    expect(written[1]!.messages[0]!.check).toMatch(/^overlap 0\.00 #### NO$/);
    expect(written[2]!.messages.map(({ content }) => content)).toEqual(rows[2]!.messages.map(({ content }) => content));
  });

  it("measures agreement with published verdicts, of any row that both have", async () => {
    const checks = ["#### YES", "#### NO", "… #### NO.", "#### NO"];
    let next = 0;
    const judged = rows.map((row) => ({
      ...row,
      messages: row.messages.map((m) => (m.role === "user" ? { ...m, check: checks[next++]! } : m)),
    }));
    const extra = { id: "d", messages: [{ ...user("?"), check: "#### YES" }, assistant("!")] };
    const verdicts = folder.write("verdicts.jsonl", [...judged, extra].map((row) => JSON.stringify(row)).join("\n"));
    const out = folder.path("agreement.jsonl");
    const { agreement } = await rephrase({ data, out, verdicts, method: { kind: "overlap" } });
    expect(agreement).toMatchObject({ exchanges: 4, absent: 1 });
    expect(agreement!.measured).toMatchObject({ both_yes: 1, false_yes: 1, false_no: 0, both_no: 2 });
    expect(agreement!.cross_validated).toMatchObject({ agreement: { n: 5 } });
  });
});

/** A server that judges by a word in the prompt, and fails or breaks off where it is told to. */
async function modelServer(
  options: {
    readonly failing?: string;
    readonly busy?: string;
    readonly dieAfter?: number;
    readonly say?: (prompt: string) => unknown;
  } = {},
) {
  const prompts: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on("end", () => {
      const prompt = (JSON.parse(text) as { messages: { content: string }[] }).messages[0]!.content;
      prompts.push(prompt);
      if (options.say !== undefined) response.end(JSON.stringify(options.say(prompt)));
      else if (prompts.length > (options.dieAfter ?? Number.POSITIVE_INFINITY)) response.writeHead(401).end("{}");
      else if (options.busy !== undefined && prompt.includes(options.busy)) response.writeHead(503).end("{}");
      else if (options.failing !== undefined && prompt.includes(options.failing)) response.writeHead(400).end("{}");
      else {
        const yes = /tips|joke/.test(prompt.split("<instruction>").at(-1)!);
        const rewriting = prompt.includes("between <response>");
        const content = rewriting
          ? `<response>\nrewritten ${prompt.length}\n</response>`
          : `So. #### ${yes ? "YES" : "NO"}`;
        response.end(JSON.stringify({ choices: [{ message: { content }, finish_reason: "stop" }] }));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return { prompts, server, port: (server.address() as AddressInfo).port };
}
const servers: ReturnType<typeof createServer>[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});
const llm = (port: number, concurrency = 2) => ({
  kind: "llm" as const,
  baseUrl: `http://127.0.0.1:${port}/v1/`,
  model: "m",
  limits: { concurrency, backoff_seconds: 0.001 },
});

describe("by a language model", () => {
  it("asks once for each exchange and once more for those that restate", async () => {
    const { prompts, port } = await modelServer();
    const out = folder.path("llm.jsonl");
    const summary = await rephrase({ data, out, method: llm(port) });
    expect(summary).toMatchObject({ rows_out: 3, rewritten: 2, plain: 2, kept: {}, unjudged: {}, rows_rewritten: 2 });
    expect(prompts).toHaveLength(6);
    expect(read(out)[0]!.messages[1]!.content).toMatch(/^rewritten \d+$/);
    expect(existsSync(rephrasePaths(out).partial)).toBe(false);
  });

  it("keeps a row that could not be judged or rewritten as it was, with the reason", async () => {
    const { port } = await modelServer({ failing: "colour" });
    const out = folder.path("failing.jsonl");
    const summary = await rephrase({ data, out, method: llm(port) });
    expect(summary).toMatchObject({ rows_out: 3, rewritten: 2, plain: 1, unjudged: { "400 {}": 1 } });
    expect(read(out)[1]!.messages).toEqual(rows[1]!.messages);
    expect(existsSync(rephrasePaths(out).partial)).toBe(true);
  });

  it("writes no result while calls got no reply, keeps the others, and asks these alone the next time", async () => {
    const options: { busy?: string } = { busy: "colour" };
    const { prompts, port } = await modelServer(options);
    const out = folder.path("busy.jsonl");
    const refusal = rephrase({ data, out, method: llm(port) });
    await expect(refusal).rejects.toThrow(UserError);
    await expect(refusal).rejects.toThrow("1 of 6 calls to the model got no reply: 503 {}");
    expect([out, rephrasePaths(out).run].map((path) => existsSync(path))).toEqual([false, false]);
    delete options.busy;
    prompts.length = 0;
    const steps: number[] = [];
    const summary = await rephrase(
      { data, out, method: llm(port) },
      {
        onEvent(event) {
          if (event.event === "begin") steps.push(event.reused);
          if (event.event === "progress") steps.push(event.done);
        },
      },
    );
    expect(steps).toEqual([2, 3]);
    expect(prompts).toHaveLength(1);
    expect(prompts[0]).toContain("colour");
    expect(summary).toMatchObject({ plain: 2, rewritten: 2, unjudged: {}, calls: { asked: 1, reused: 5, failed: 0 } });
    expect(existsSync(rephrasePaths(out).partial)).toBe(false);
  });

  it("reads neither verdict nor text out of reasoning, and keeps what was said whole", async () => {
    const say = (prompt: string): string => {
      const yes = /tips/.test(prompt.split("<instruction>").at(-1)!);
      if (prompt.includes("between <response>"))
        return "<think><response>no</response></think><response>new</response>";
      return `So it does. #### YES</think>\n#### ${yes ? "YES" : "NO"}`;
    };
    const { port } = await modelServer({
      say: (prompt) => ({ choices: [{ message: { content: [{ type: "text", text: say(prompt) }] } }] }),
    });
    const out = folder.path("reasoned.jsonl");
    const summary = await rephrase({ data, out, method: llm(port) });
    expect(summary).toMatchObject({ rewritten: 1, plain: 3, unjudged: {} });
    expect(read(out)[0]!.messages[1]!.content).toBe("new");
  });

  it.each([
    [{ error: { message: "slow", code: 429 } }, /got no reply: 429 slow/],
    [{ choices: [] }, /got no reply: the reply is not a completion: \{"choices":\[\]\}/],
    [
      { error: { message: "no", code: "content_filter" } },
      /each of \d calls to the model got no reply: 400 content_filter: no/,
    ],
  ])("%j to every call is no result", async (body, message) => {
    const { port } = await modelServer({ say: () => body });
    const out = folder.path(`none ${JSON.stringify(body).length}.jsonl`);
    await expect(rephrase({ data, out, method: llm(port) })).rejects.toThrow(message);
    expect(existsSync(out)).toBe(false);
  });

  it("tells of an older version's replies, and of a damaged line, in one line", async () => {
    const { prompts, port } = await modelServer();
    const out = folder.path("older.jsonl");
    const { partial } = rephrasePaths(out);
    const refusal = async (line: object): Promise<unknown> => {
      writeFileSync(partial, `${JSON.stringify(line)}\n`);
      return rephrase({ data, out, method: llm(port) }).catch((error) => error);
    };
    const older = await refusal({ key: "0".repeat(32), text: "#### YES", cut: false });
    expect(older).toBeInstanceOf(UserError);
    expect(older).toMatchObject({
      message: `${partial}:1: not a line of this ledger: an older version wrote it, which kept less of a reply`,
      remedy: "delete the file and start from scratch",
    });
    expect((await refusal({ key: 1 })) as Error).toMatchObject({
      message: `${partial}:1: not a line of this ledger: Invalid input`,
    });
    expect(prompts).toEqual([]);
  });

  it("gives up on a server that has stopped answering", async () => {
    const many = folder.write(
      "many.jsonl",
      Array.from({ length: 30 }, (_, i) => `${JSON.stringify({ instruction: `Name ${i}.`, response: "Yes." })}\n`).join(
        "",
      ),
    );
    const { prompts, port } = await modelServer({ busy: "Name" });
    const refusal = rephrase({ data: many, out: folder.path("gone.jsonl"), method: llm(port, 1) });
    await expect(refusal).rejects.toThrow("the last 10 calls to the model got no reply: 503 {}");
    expect(prompts).toHaveLength(10 * 7); // each was tried seven times
  });

  it("stopped after any number of replies and begun again gives the same bytes", async () => {
    const whole = await modelServer();
    const wanted = folder.path("whole.jsonl");
    await rephrase({ data, out: wanted, method: llm(whole.port, 1) });
    for (let dieAfter = 0; dieAfter < 6; dieAfter++) {
      const options = { dieAfter };
      const { prompts, server, port } = await modelServer(options);
      const out = folder.path(`stopped ${dieAfter}.jsonl`);
      await expect(rephrase({ data, out, method: llm(port) })).rejects.toThrow("401");
      expect(existsSync(out)).toBe(false);
      const answered = Math.min(prompts.length, dieAfter);
      options.dieAfter = Number.POSITIVE_INFINITY;
      const { calls } = await rephrase({ data, out, method: llm(port) });
      expect(calls.asked).toBeLessThanOrEqual(6 - answered);
      expect(readFileSync(out, "utf8")).toBe(readFileSync(wanted, "utf8"));
      server.close();
    }
  });
});

describe("an opening", () => {
  it.each([
    ["Here are tips:\n\n* One", "Here are tips:", "* One"],
    ["Sure! Here are five films. The first", "Sure! Here are five films.", "The first"],
    ["One line without an end", "One line without an end", ""],
    ["  \nFirst sentence of four words. Second.", "First sentence of four words.", "Second."],
    ["Version 2.5 is out now. Yes.", "Version 2.5 is out now.", "Yes."],
    ["", "", ""],
  ])("of %j", (response, text, rest) => {
    expect(openingOf(response)).toEqual({ text, rest });
  });
  it("and its rest lose white space alone", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (response) => {
        const { text, rest } = openingOf(response);
        const bare = (s: string) => s.replaceAll(/\s/g, "");
        expect(bare(text + rest)).toBe(bare(response));
      }),
    );
  });
});

it("overlap: nothing in common is 0, an echo is near its top, and more of the same is not less", () => {
  expect(overlap("Name a colour.", "Blue it is, as always.")).toBe(0);
  // all three content words known, Dice 1, announced
  expect(overlap("Give tips for baking bread.", "Here are tips for baking bread.")).toBeCloseTo(2.3, 12);
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (instruction, response) => {
      const score = overlap(instruction, response);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(2.3 + 1e-12);
    }),
  );
});

it("the last verdict of a judge's text counts", () => {
  expect([parseVerdict("#### YES."), parseVerdict("#### YES no #### no"), parseVerdict("yes")]).toEqual([
    true,
    false,
    undefined,
  ]);
});
