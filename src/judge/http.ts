/**
 * One request to an OpenAI-compatible server, and what came of it. Never throws for what the network or the server does.
 * The key is sent in one header and nowhere else: whatever comes back is cleaned of it before anything is done with it.
 * May not know: pairs, verdicts, how often to try.
 */
import type { OpenaiJudge } from "../records/judge-file.js";
import { UserError } from "../util/errors.js";
import { boundedText, cleaner, keyFrom, parsedJson, retryAfter } from "../util/http.js";
import type { Attempt, Transport } from "./ask.js";
import { requestParameters } from "./judge-file.js";
import type { ChatMessage } from "./prompt.js";
import { readReply } from "./reply.js";

/** A completion of a few tokens has some kB. */
const LARGEST_REPLY = 8 * 1024 * 1024;

/** @throws UserError  the judge names a variable for its key and that is not set */
export function httpTransport(judge: OpenaiJudge, env: NodeJS.ProcessEnv = process.env): Transport {
  const key = keyOf(judge, env);
  const clean = cleaner(key);
  const url = `${judge.base_url.replace(/\/+$/, "")}/${judge.api === "chat" ? "chat/completions" : "completions"}`;
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return async ({ messages, vote }) => {
    const body = JSON.stringify(requestBody(judge, messages(), vote));
    const signal = AbortSignal.timeout(Math.ceil(judge.limits.timeout_seconds * 1000));
    try {
      const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
      const text = clean(await boundedText(response, LARGEST_REPLY)) as string; // before anything is cut off, which could leave half a key
      return clean(readResponse(response, text, judge, key !== undefined)) as Attempt;
    } catch (error) {
      return clean(networkError(error, url, judge)) as Attempt;
    }
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

function readResponse(response: Response, text: string, judge: OpenaiJudge, hasKey: boolean): Attempt {
  const { status } = response;
  const body = parsedJson(text);
  if (status === 200) {
    if (body !== undefined && readReply(body) !== undefined) return { kind: "reply", status, body };
    return {
      kind: "again",
      status,
      error: body === undefined ? "the reply is not JSON" : "the reply is no completion",
    };
  }
  const error = `${status} ${messageOf(body, text)}`.trim();
  const remedy = remedies(judge, hasKey, status, body);
  if (remedy !== undefined) return { kind: "hopeless", status, error, remedy };
  if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
    const waitMs = retryAfter(response.headers, Date.now());
    return { kind: "again", status, error, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  return { kind: "rejected", status, error };
}

/** What to mend, for statuses that no other request will fare better with. */
function remedies(judge: OpenaiJudge, hasKey: boolean, status: number, body: unknown): string | undefined {
  const variable = judge.api_key_env ?? "OPENAI_API_KEY";
  if (status === 401) return hasKey ? `check the key in ${variable}` : `set ${variable} to a key of this server`;
  if (status === 403) return `the key in ${variable} may not use ${judge.model}; check its rights`;
  if (status === 404) return `check base_url (mostly it ends in /v1) and model (${judge.model}) in the judge file`;
  if (status === 405 || (status >= 300 && status < 400)) return "check base_url in the judge file";
  if (status === 402 || codeOf(body) === "insufficient_quota") return "the account has nothing left to spend";
  return undefined;
}

const errorOf = (body: unknown): unknown => (body as { readonly error?: unknown } | null | undefined)?.error;

const codeOf = (body: unknown): unknown => (errorOf(body) as { readonly code?: unknown } | null | undefined)?.code;

/** The server's own words, which may be long and may be anything. */
function messageOf(body: unknown, text: string): string {
  const error = errorOf(body);
  const message = typeof error === "string" ? error : (error as { readonly message?: unknown } | undefined)?.message;
  const code = codeOf(body);
  const found = `${typeof code === "string" ? `${code}: ` : ""}${typeof message === "string" ? message : text}`;
  return found.replace(/\s+/g, " ").trim().slice(0, 500);
}

function networkError(error: unknown, url: string, judge: OpenaiJudge): Attempt {
  if (error instanceof Error && error.name === "TimeoutError") {
    return { kind: "again", status: null, error: `no reply within ${judge.limits.timeout_seconds} s` };
  }
  const cause = error instanceof Error ? ((error.cause as NodeJS.ErrnoException | undefined) ?? error) : undefined;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOTFOUND" || code === "ERR_INVALID_URL") {
    return {
      kind: "hopeless",
      status: null,
      error: `cannot reach ${url}: ${code}`,
      remedy: "check base_url in the judge file",
    };
  }
  return { kind: "again", status: null, error: code ?? cause?.message ?? String(error) };
}
