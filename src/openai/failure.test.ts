/** What an error of a server means, under its own status or under 200, and what the network says. */
import { describe, expect, it } from "vitest";
import { complaintOf, errorIn, failureOf, networkFailure } from "./failure.js";

const remedies = { key: "key", rights: "rights", missing: "missing", address: "address" };
const under200 = (body: unknown) => {
  const complaint = errorIn(body);
  return complaint === undefined ? undefined : failureOf(complaint, undefined, remedies);
};
const under = (status: number, body: unknown) =>
  failureOf(complaintOf(status, typeof body === "string" ? body : JSON.stringify(body)), undefined, remedies);

describe("an error under status 200", () => {
  it.each([
    [{ error: { message: "Rate limit exceeded", code: 429 } }, "again", "429 Rate limit exceeded"],
    [{ error: { message: "slow", code: "429" } }, "again", "429 slow"],
    [{ error: { message: "slow", type: "rate_limit_error" } }, "again", "429 slow"],
    [{ error: { message: "busy", code: "server_error" } }, "again", "500 server_error: busy"],
    [{ error: "the model is loading" }, "again", "the model is loading"],
    [{ error: { foo: 1 } }, "again", 'an error: {"foo":1}'],
    [{ error: { message: "no", code: 401 } }, "hopeless", "401 no"],
    [{ error: { message: "no", code: "invalid_api_key" } }, "hopeless", "401 invalid_api_key: no"],
    [{ error: { message: "pay", code: 402 } }, "hopeless", "402 pay"],
    [{ error: { message: "pay", code: "insufficient_quota" } }, "hopeless", "402 insufficient_quota: pay"],
    [{ error: { message: "who", code: "model_not_found" } }, "hopeless", "404 model_not_found: who"],
    [{ error: { message: "bad", type: "invalid_request_error" } }, "rejected", "400 bad"],
    [{ object: "error", message: "too long", type: "BadRequestError", code: 400 }, "rejected", "400 too long"],
    [[{ error: { message: "used up", code: 429, status: "RESOURCE_EXHAUSTED" } }], "again", "429 used up"],
    [{ choices: [{ error: { code: 502, message: "upstream" }, message: { content: "" } }] }, "again", "502 upstream"],
  ])("%j is %s", (body, kind, error) => {
    expect(under200(body)).toMatchObject({ kind, error });
  });
  const whole = { message: { content: "m" }, finish_reason: "stop" };
  it.each(["", {}, [], null, false, 0, { message: "", code: null }, { message: null }, "late", { message: "late" }])(
    "%j beside a completion takes nothing away",
    (error) => {
      expect(errorIn({ error, choices: [whole] })).toBeUndefined();
    },
  );
  it("that says nothing is none", () => {
    expect(errorIn({ error: "", choices: [{ message: { content: "m" } }] })).toBeUndefined();
  });
  it.each([
    [{ choices: [{ ...whole, finish_reason: "error" }] }, 'the reply ended with "error"'],
    [{ error: { message: "upstream" }, choices: [{ ...whole, finish_reason: "error" }] }, "upstream"],
    [{ error: { message: "upstream" }, choices: [{ ...whole, finish_reason: null }] }, "upstream"],
    [{ error: { message: "upstream" }, choices: [{ ...whole, message: { content: "" } }] }, "upstream"],
    [{ choices: [{ ...whole, error: { message: "upstream" } }] }, "upstream"],
  ])("%j is not a completion", (body, error) => {
    expect(under200(body)).toEqual({ kind: "again", error });
  });
  it.each([
    { error: { code: "content_filter", message: "no" } },
    { error: { code: "ResponsibleAIPolicyViolation", message: "no" } },
    { error: { message: "The prompt triggered the content management policy" } },
    { error: { code: 403, message: "your input was flagged" } },
  ])("%j was refused for its content", (body) => {
    expect(under200(body)).toMatchObject({ kind: "rejected", filtered: true });
  });
  it.each([{ choices: [], error: null }, { choices: [{ message: { content: "m" } }] }, 1, null, [], "error"])(
    "%j holds none",
    (body) => {
      expect(under200(body)).toBeUndefined();
    },
  );
});

it.each([
  [429, { error: { code: "insufficient_quota", message: "pay" } }, "hopeless", "429 insufficient_quota: pay"],
  [422, { detail: [{ msg: "field required" }] }, "rejected", "422 field required"],
  [400, { detail: "bad" }, "rejected", "400 bad"],
  [500, "", "again", "500"],
  [500, "\u001b[2J<html>", "again", "500 \\u001b[2J<html>"],
  [400, `{"error":${"[".repeat(5000)}`, "rejected", `400 {"error":${"[".repeat(491)}`],
])("status %i with %j", (status, body, kind, error) => {
  expect(under(status, body)).toMatchObject({ kind, error });
});

describe("the network", () => {
  const failing = (code: string, message = "") =>
    networkFailure(
      new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code }) }),
      "https://h/v1",
      9,
      remedies,
    );
  it.each([
    ["DEPTH_ZERO_SELF_SIGNED_CERT", /NODE_EXTRA_CA_CERTS=FILE/],
    ["SELF_SIGNED_CERT_IN_CHAIN", /NODE_EXTRA_CA_CERTS=FILE/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /NODE_EXTRA_CA_CERTS=FILE/],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /NODE_EXTRA_CA_CERTS=FILE/],
    ["CERT_HAS_EXPIRED", /out of date.*clock.*NODE_EXTRA_CA_CERTS=FILE/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /another name.*NODE_EXTRA_CA_CERTS=FILE/],
    ["ERR_SSL_WRONG_VERSION_NUMBER", /write http:\/\//],
    ["ENOTFOUND", /^address$/],
  ])("%s has a remedy", (code, remedy) => {
    const failure = failing(code);
    expect(failure).toMatchObject({ kind: "hopeless", error: `cannot reach https://h/v1: ${code}` });
    expect(failure.kind === "hopeless" && failure.remedy).toMatch(remedy);
  });
  it("may do better another time", () => {
    expect(failing("ECONNRESET")).toEqual({ kind: "again", error: "ECONNRESET", code: "ECONNRESET" });
    expect(networkFailure(new DOMException("", "TimeoutError"), "u", 9, remedies)).toEqual({
      kind: "again",
      error: "no reply within 9 s",
    });
  });
});
