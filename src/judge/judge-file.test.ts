/** Judge files: what the smallest means, what is refused and where, and which changes make it another judge. */
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { JudgeInput } from "../records/judge-file.js";
import { loadJudge, requestParameters } from "./judge-file.js";

const folder = temporaryFolder();
const smallest = "kind: openai\nbase_url: http://127.0.0.1:8000/v1\nmodel: NAME\nverdict: logprobs\n";
const load = (text: string) => loadJudge(folder.write("a-judge.yaml", text));

describe("the smallest judge file", () => {
  it("is called by its file and has every default", async () => {
    const { judge, name, prompt } = await load(smallest);
    expect([name, prompt?.source]).toEqual(["a-judge", "tacit"]);
    expect(judge).toEqual({
      version: 1,
      kind: "openai",
      base_url: "http://127.0.0.1:8000/v1",
      model: "NAME",
      verdict: "logprobs",
      api: "chat",
      order: "both",
      empty: "skip",
      markers: ["m", "M"],
      parser: "markers",
      position: "first",
      votes: 1,
      outputs: "escape",
      parameters: {},
      limits: { concurrency: 8, timeout_seconds: 120, retries: 6, backoff_seconds: 0.5 },
    });
  });
  it("takes a default away with null", async () => {
    const { judge } = await load(`${smallest}parameters: { max_tokens: null, max_completion_tokens: 1 }\n`);
    expect(requestParameters(judge as never)).toEqual({
      max_completion_tokens: 1,
      temperature: 1,
      logprobs: true,
      top_logprobs: 5,
    });
  });
});

describe("a mistake is named with its place", () => {
  it.each([
    [smallest.replace("logprobs", "logits"), /a-judge\.yaml:4:10: verdict: /],
    [`${smallest}temprature: 1\n`, /a-judge\.yaml:5:\d+: Unrecognized key: "temprature"/],
    [`${smallest}limits: { retries: many }\n`, /:5:20: limits\.retries: expected number/],
    [`${smallest}markers: [m, m]\n`, /:5:10: markers: markers must differ/],
    [`${smallest}api_key_env: sk-1234\n`, /:5:14: api_key_env: the name of an environment variable, not a key/],
    [`${smallest}parser: { first: "(", second: b }\n`, /:5:\d+: parser/],
    [smallest.replace("http://", "http://me:secret@"), /:2:11: base_url: holds a password/],
    [smallest.replace("/v1", "/v1?key=1"), /:2:11: base_url: must end with the path/],
    [smallest.replace("http:", "ftp:"), /:2:11: base_url: must begin with http/],
    [smallest.replace("openai", "oracle"), /:1:7: kind: /],
    ["kind: [", /:\d+:\d+: /],
    ["kind: scripted\n", /prefers/],
    ["kind: votes\nfile: v.json\norder: both\n", /:3:\d+: Unrecognized key: "order"/],
  ])("%j", async (text, message) => {
    await expect(load(text)).rejects.toThrow(message);
  });
  it("as is a judge that is not there", async () => {
    await expect(loadJudge(folder.path("no.yaml"))).rejects.toThrow(/no\.yaml: no such file or folder/);
    await expect(loadJudge({ kind: "openai" } as JudgeInput)).rejects.toThrow(/not a judge/);
  });
  it("an order for a judge that sees no prompt is refused", async () => {
    const path = folder.write("votes.yaml", "kind: votes\nfile: v.json\n");
    await expect(loadJudge(path, { order: "both" })).rejects.toThrow(/kind votes is not asked with a prompt/);
  });
});

describe("the hashes", () => {
  const hashes = async (text: string) => {
    const { callHash, hash } = await load(text);
    return [callHash, hash] as const;
  };
  it.each([
    ["model", smallest.replace("NAME", "OTHER"), true, true],
    ["parameters", `${smallest}parameters: { seed: 1 }\n`, true, true],
    ["verdict", smallest.replace("logprobs", "sampled"), true, true],
    ["order", `${smallest}order: alpaca_eval\n`, false, true],
    ["parser", `${smallest}parser: ranking\n`, false, true],
    ["empty", `${smallest}empty: ask\n`, false, true],
    ["address", smallest.replace("8000", "9000"), false, false],
    ["limits", `${smallest}limits: { concurrency: 2 }\n`, false, false],
    ["name", `${smallest}name: other\n`, false, false],
    ["price", `${smallest}price: { input: 1, output: 2 }\n`, false, false],
  ])("another %s", async (_what, text, newCalls, newVerdicts) => {
    const [before, after] = [await hashes(smallest), await hashes(text)];
    expect([before[0] !== after[0], before[1] !== after[1]]).toEqual([newCalls, newVerdicts]);
  });
});
