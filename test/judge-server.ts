/**
 * A judge on loopback that speaks the chat completions API, and misbehaves as it is told to. What it thinks of a pair depends on the
 * message alone, so that every run must come to the same verdicts. It keeps book of what it was asked and what it answered.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const misbehaviours = [
  "429", // without retry-after
  "429-after", // with it
  "500",
  "slow",
  "cut", // half of the body, then the end of the connection
  "not-json",
  "not-a-completion",
  "reset",
  "wrong-markers",
  "no-logprobs",
  "refusal",
  "filtered", // status 400, of this pair alone
] as const;
export type Misbehaviour = (typeof misbehaviours)[number];

/** Those after which the same call is asked again. */
export const transient: readonly Misbehaviour[] = [
  "429",
  "429-after",
  "500",
  "slow",
  "cut",
  "not-json",
  "not-a-completion",
  "reset",
];

export interface Asked {
  /** From 0, in the order of arrival. */
  readonly id: number;
  readonly content: string;
  readonly body: Record<string, unknown>;
  readonly headers: IncomingMessage["headers"];
  readonly misbehaviour: Misbehaviour | undefined;
}

export interface JudgeServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Ids of requests whose completion was sent whole. */
  readonly answered: ReadonlySet<number>;
  /** Most requests that were under way at a time. */
  mostAtOnce(): number;
  close(): Promise<void>;
}

/** P(the answer shown first is better), drawn from the message. */
export const opinionOn = (content: string): number =>
  (createHash("sha256").update(content).digest().readUInt32BE(0) + 0.5) / 2 ** 32;

export interface ServerOptions {
  /** What request `id` meets; nothing: it is answered. */
  readonly misbehave?: (id: number, content: string) => Misbehaviour | undefined;
  /** A status for everything. */
  readonly status?: { readonly code: number; readonly body: unknown; readonly headers?: Record<string, string> };
  /** Said in every text that the server sends: a key that it was given, for one. */
  readonly echo?: string;
  readonly delayMs?: number;
  readonly slowMs?: number;
}

export async function openJudgeServer(options: ServerOptions = {}): Promise<JudgeServer> {
  const asked: Asked[] = [];
  const answered = new Set<number>();
  let underWay = 0;
  let most = 0;
  const server = createServer((request, response) => {
    most = Math.max(most, ++underWay);
    response.on("close", () => underWay--);
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      const body = JSON.parse(text) as Record<string, unknown>;
      const content = JSON.stringify(body.messages ?? body.prompt);
      const id = asked.length;
      const misbehaviour = options.misbehave?.(id, content);
      const one: Asked = { id, content, body, headers: request.headers, misbehaviour };
      asked.push(one);
      const wait = misbehaviour === "slow" ? (options.slowMs ?? 0) : (options.delayMs ?? 0);
      setTimeout(() => answer(one, response, options, () => answered.add(id)), wait);
    });
  });
  server.keepAliveTimeout = 60_000; // a client that a busy machine holds up is not told that its connection is gone
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    answered,
    mostAtOnce: () => most,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(one: Asked, response: ServerResponse, options: ServerOptions, whole: () => void): void {
  const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  };
  if (options.status !== undefined) {
    send(options.status.code, options.status.body, options.status.headers);
    return;
  }
  const good = { ...completion(one), ...(options.echo === undefined ? {} : { served_to: `Bearer ${options.echo}` }) };
  switch (one.misbehaviour) {
    case undefined:
    case "slow":
    case "wrong-markers":
    case "no-logprobs":
    case "refusal":
      response.on("finish", whole);
      send(200, good);
      return;
    case "429":
      send(429, { error: { message: "slow down" } });
      return;
    case "429-after":
      send(429, { error: { message: "slow down" } }, { "retry-after": "0.02" });
      return;
    case "500":
      send(500, `<html>oops ${options.echo ?? ""}</html>`.replace(" <", "<"));
      return;
    case "cut": {
      const text = JSON.stringify(good);
      response.writeHead(200, { "content-type": "application/json", "content-length": String(text.length) });
      response.write(text.slice(0, text.length / 2), () => response.destroy());
      return;
    }
    case "not-json":
      send(200, '{"choices": [');
      return;
    case "not-a-completion":
      send(200, { error: "the model is loading" });
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "filtered":
      send(400, { error: { code: "content_filter", message: "the prompt was filtered" } });
      return;
  }
}

function completion({ id, content, body, misbehaviour }: Asked): object {
  const p = opinionOn(content);
  const best = p >= 0.5 ? "m" : "M";
  const message = { role: "assistant", content: best };
  const wanted = body.logprobs === true && misbehaviour !== "no-logprobs";
  const tokens: [string, number][] =
    misbehaviour === "wrong-markers"
      ? [
          ["Both", -0.1],
          ["The", -2.5],
        ]
      : [
          ["m", Math.log(0.98 * p)],
          ["M", Math.log(0.98 * (1 - p))],
          ["The", Math.log(0.02)],
        ];
  const top = tokens.sort(([, a], [, b]) => b - a).map(([token, logprob]) => ({ token, logprob }));
  const logprobs = { content: [{ ...top[0], top_logprobs: top }] };
  return {
    id: `chatcmpl-${id}`,
    object: "chat.completion",
    model: body.model,
    choices: [
      {
        index: 0,
        message:
          misbehaviour === "refusal"
            ? { role: "assistant", content: null, refusal: "I will not judge this." }
            : misbehaviour === "wrong-markers"
              ? { ...message, content: "Both" }
              : message,
        finish_reason: body.max_tokens === 1 ? "length" : "stop",
        ...(wanted && misbehaviour !== "refusal" ? { logprobs } : {}),
      },
    ],
    usage: { prompt_tokens: 100, completion_tokens: 1, total_tokens: 101 },
  };
}
