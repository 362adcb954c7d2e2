/**
 * One request to an OpenAI-compatible server, and what came of it. Never throws for what the network or the server does.
 * The key is sent in one header and nowhere else: whatever comes back is cleaned of it before anything is done with it.
 * May not know: pairs, verdicts, how often to try.
 */
import type { OpenaiJudge } from "../records/judge-file.js";
import { UserError } from "../util/errors.js";
import { cleaner, exchange, keyFrom, retryAfter, textCleaner } from "../util/http.js";
import { openingOf, readBody } from "../util/http-body.js";
import { complaintOf, errorIn, failureOf, networkFailure, type Remedies } from "../util/http-failure.js";
import type { Attempt, Transport } from "./ask.js";
import { requestParameters } from "./judge-file.js";
import type { ChatMessage } from "./prompt.js";
import { readReply } from "./reply.js";

/** A completion of a few tokens has some kB. */
const LARGEST_REPLY = 8 * 1024 * 1024;

/** @throws UserError  the judge names a variable for its key and that is not set */
export function httpTransport(judge: OpenaiJudge, env: NodeJS.ProcessEnv = process.env): Transport {
  const key = keyOf(judge, env);
  const clean = textCleaner(key);
  const remedies = remediesFor(judge, key !== undefined);
  const url = `${judge.base_url.replace(/\/+$/, "")}/${judge.api === "chat" ? "chat/completions" : "completions"}`;
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return async ({ messages, vote }) => {
    const body = JSON.stringify(requestBody(judge, messages(), vote));
    const seconds = judge.limits.timeout_seconds;
    const answer = await exchange({ url, headers, body, seconds, largest: LARGEST_REPLY }).catch((error: unknown) => ({
      error,
    }));
    if ("error" in answer) {
      return cleaner(key)({ ...networkFailure(answer.error, url, seconds, remedies), status: null }) as Attempt;
    }
    return readAnswer(answer.response, clean(answer.text), remedies); // cleaned before anything is cut off, which could leave half a key
  };
}

function keyOf({ api_key_env: named }: OpenaiJudge, env: NodeJS.ProcessEnv): string | undefined {
  const key = keyFrom(named ?? "OPENAI_API_KEY", env);
  if (key === undefined && named !== undefined) {
    throw new UserError(`the judge's key is to come from ${named}, which is not set`, { remedy: `set ${named}` });
  }
  return key;
}

export function requestBody(judge: OpenaiJudge, messages: readonly ChatMessage[], vote: number): object {
  const said = judge.api === "chat" ? { messages } : { prompt: messages.map(({ content }) => content).join("\n\n") };
  const parameters = requestParameters(judge);
  // Votes are different requests, so that no cache on the way makes one of them.
  const seed = judge.votes > 1 && parameters.seed === undefined ? { seed: vote } : {};
  return { model: judge.model, ...said, ...parameters, ...seed };
}

function readAnswer({ status, headers }: Response, text: string, remedies: Remedies): Attempt {
  const waitMs = retryAfter(headers, Date.now());
  if (status !== 200) return { ...failureOf(complaintOf(status, text), waitMs, remedies), status };
  const body = readBody(text);
  if (body.kind === "none") return { kind: "again", status, error: body.reason };
  if (body.kind === "deep") return { kind: "reply", status, body: undefined, text };
  const { value } = body;
  const complaint = errorIn(value);
  if (complaint !== undefined) return { ...failureOf(complaint, waitMs, remedies), status };
  if (readReply(value) === undefined) {
    return { kind: "again", status, error: `the reply is no completion: ${openingOf(text)}` };
  }
  return { kind: "reply", status, body: value, ...(body.finite && !body.streamed ? {} : { text }) };
}

function remediesFor(judge: OpenaiJudge, hasKey: boolean): Remedies {
  const variable = judge.api_key_env ?? "OPENAI_API_KEY";
  return {
    key: hasKey ? `check the key in ${variable}` : `set ${variable} to a key of this server`,
    rights: `the key in ${variable} may not use ${judge.model}; check its rights`,
    missing: `check base_url (mostly it ends in /v1) and model (${judge.model}) in the judge file`,
    address: "check base_url in the judge file",
  };
}
