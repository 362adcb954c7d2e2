/**
 * One request to an OpenAI-compatible server, and what came of it. Never throws for what the network or the server does.
 * The key is sent in one header and nowhere else: whatever comes back is cleaned of it before anything is done with it.
 * May not know: what is asked, how often to try.
 */
import { UserError } from "../util/errors.js";
import { openingOf, readBody } from "./body.js";
import { readCompletion } from "./completion.js";
import { exchange, retryAfter } from "./exchange.js";
import { complaintOf, errorIn, type Failure, failureOf, networkFailure, type Remedies } from "./failure.js";
import { cleaner, keyFrom, textCleaner } from "./secrets.js";
import { remediesFor, type ServerWords } from "./words.js";

export type Attempt =
  /** What was asked for, without the key: its body as it came, or, where a value could not give it back, its text and what was read from it. */
  | { readonly kind: "reply"; readonly status: number; readonly body: unknown; readonly text?: string }
  /** No reply, and what may be done. `code`: the system's name for what the network did. */
  | (Failure & { readonly status: number | null; readonly code?: string });

/** Makes one request. Never throws for what the network or the server does. */
export type Send<Request> = (request: Request) => Promise<Attempt>;

interface Endpoint {
  readonly path: string;
  readonly largestBytes: number;
  /** Why a body is not what was asked for; another attempt may bring it. */
  readonly problem: (body: unknown) => string | undefined;
}

const notCompletion = (body: unknown): string | undefined =>
  readCompletion(body) === undefined ? "the reply is not a completion" : undefined;

/** A completion of a few tokens has some kB. */
const MiB = 2 ** 20;
const endpoints = {
  chat: { path: "chat/completions", largestBytes: 8 * MiB, problem: notCompletion },
  completions: { path: "completions", largestBytes: 8 * MiB, problem: notCompletion },
  embeddings: { path: "embeddings", largestBytes: 64 * MiB, problem: () => undefined },
} satisfies Record<string, Endpoint>;

export interface Server {
  /** Mostly ending in /v1. */
  readonly baseUrl: string;
  readonly api: keyof typeof endpoints;
  /** For messages; what is sent is in each request's body. */
  readonly model: string;
  /** The variable that holds the key; without: OPENAI_API_KEY, where that is set. */
  readonly apiKeyEnv?: string | undefined;
  /** Of one request, from its first byte out to its last byte in. */
  readonly timeoutSeconds: number;
  readonly words: ServerWords;
}

export const urlOf = ({ baseUrl, api }: Pick<Server, "baseUrl" | "api">): string =>
  `${baseUrl.replace(/\/+$/, "")}/${endpoints[api].path}`;

/**
 * @returns sends the body of one request
 * @throws UserError  a variable is named for the key and not set
 */
export function openTransport(server: Server, env: NodeJS.ProcessEnv = process.env): Send<object> {
  const variable = server.apiKeyEnv ?? "OPENAI_API_KEY";
  const key = keyFrom(variable, env);
  if (key === undefined && server.apiKeyEnv !== undefined) {
    throw new UserError(`the key for ${server.words.who} is to come from ${variable}, which is not set`, {
      remedy: `set ${variable}`,
    });
  }
  const clean = textCleaner(key);
  const remedies = remediesFor(server.words, server.model, variable, key !== undefined);
  const endpoint = endpoints[server.api];
  const url = urlOf(server);
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  return async (body) => {
    const [seconds, largest] = [server.timeoutSeconds, endpoint.largestBytes];
    const sent = { url, headers, body: JSON.stringify(body), seconds, largest };
    const answer = await exchange(sent).catch((error: unknown) => ({ error }));
    if ("error" in answer) {
      return cleaner(key)({ ...networkFailure(answer.error, url, seconds, remedies), status: null }) as Attempt;
    }
    return readAnswer(answer.response, clean(answer.text), endpoint, remedies); // cleaned before anything is cut off, which could leave half a key
  };
}

function readAnswer({ status, headers }: Response, text: string, endpoint: Endpoint, remedies: Remedies): Attempt {
  const waitMs = retryAfter(headers, Date.now());
  if (status !== 200) return { ...failureOf(complaintOf(status, text), waitMs, remedies), status };
  const body = readBody(text);
  if (body.kind === "none") return { kind: "again", status, error: body.reason };
  if (body.kind === "deep") return { kind: "reply", status, body: undefined, text };
  const { value } = body;
  const complaint = errorIn(value);
  if (complaint !== undefined) return { ...failureOf(complaint, waitMs, remedies), status };
  const problem = endpoint.problem(value);
  if (problem !== undefined) return { kind: "again", status, error: `${problem}: ${openingOf(text)}` };
  return { kind: "reply", status, body: value, ...(body.finite && !body.streamed ? {} : { text }) };
}
