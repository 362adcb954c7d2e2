/**
 * The servers that the commands ask, as one on loopback: a judge, a model that rephrases, an encoder. What it replies follows from what it
 * is asked alone, so that two builds that ask the same get the same. Under `/flaky` it fails first, and some pairs are never judged.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Server {
  readonly url: string;
  /** What came since the last time this was called, sorted: a line a request with its path, headers that matter and body. */
  requests(): string;
  close(): Promise<void>;
}

const HEADERS = ["accept", "authorization", "content-type", "user-agent"];

/** @param portFile  the port of the last time, which is taken again: hashes of an address stay the same */
export async function openServer(portFile: string): Promise<Server> {
  let requests: string[] = [];
  let seen = new Map<string, number>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const line = `${request.method} ${request.url} ${JSON.stringify(HEADERS.map((name) => request.headers[name]))} ${body}`;
      const times = seen.get(line) ?? 0;
      seen.set(line, times + 1);
      requests.push(line);
      reply(request, response, body, times);
    });
  });
  const last = existsSync(portFile) ? Number(readFileSync(portFile, "utf8")) : 0;
  await once(server.listen(last, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  writeFileSync(portFile, String(port));
  return {
    url: `http://127.0.0.1:${port}`,
    requests() {
      const text = requests
        .sort()
        .map((line) => `${line}\n`)
        .join("");
      requests = [];
      seen = new Map();
      return text;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** In [0, 1), drawn from the text. */
const chance = (text: string): number => createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;

/** @param times  how often the same was asked before */
function reply({ url }: IncomingMessage, response: ServerResponse, text: string, times: number): void {
  const send = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
  const body = JSON.parse(text) as Body;
  const fate = url?.startsWith("/flaky") ? Math.floor(10 * chance(`fate ${text}`)) : 9;
  if (fate === 0 && times === 0) send(500, { error: { message: "oops" } });
  else if (fate === 1 && times === 0) send(429, { error: { message: "slow down" } }, { "retry-after": "0.02" });
  else if (fate === 2 && times < 2) response.socket?.resetAndDestroy();
  else if (fate === 3) send(400, { error: { code: "content_filter", message: "the prompt was filtered" } });
  else if (url?.endsWith("/embeddings") === true) send(200, embeddings(body));
  else send(200, url?.endsWith("/chat/completions") === true ? chat(body, text, fate) : completion(body, text));
}

interface Body {
  readonly model?: string;
  readonly input?: string | readonly string[];
  readonly messages?: readonly { readonly content: string }[];
  readonly logprobs?: boolean | number;
}

function embeddings({ model, input = [] }: Body): object {
  const texts = typeof input === "string" ? [input] : input;
  const vector = (text: string): number[] => Array.from({ length: 8 }, (_, i) => chance(`${i} ${text}`) - 0.5);
  const data = texts.map((one, index) => ({ object: "embedding", index, embedding: vector(one) }));
  return { object: "list", model, data, usage: { prompt_tokens: 7, total_tokens: 7 } };
}

function chat(body: Body, text: string, fate: number): object {
  const asked = body.messages?.map(({ content }) => content).join("\n") ?? "";
  const usage = {
    prompt_tokens: 100 + (asked.length % 7),
    completion_tokens: 1,
    total_tokens: 101 + (asked.length % 7),
  };
  const whole = (message: object, more: object = {}): object => ({
    id: `chatcmpl-${createHash("sha256").update(text).digest("hex").slice(0, 8)}`,
    object: "chat.completion",
    model: body.model,
    choices: [{ index: 0, message: { role: "assistant", ...message }, finish_reason: "stop", ...more }],
    usage,
  });
  if (asked.includes("between <response>")) return whole({ content: `<response>\nshort ${asked.length}\n</response>` });
  if (/####/.test(asked)) return whole({ content: `So. #### ${chance(asked) < 0.5 ? "YES" : "NO"}` });
  if (fate === 4) return whole({ content: null, refusal: "I will not judge this." });
  if (fate === 5) return whole({ content: "Both are good." });
  const p = (chance(asked) + 0.01) / 1.02;
  const top = [
    { token: "m", logprob: Math.log(0.98 * p) },
    { token: "M", logprob: Math.log(0.98 * (1 - p)) },
    { token: "The", logprob: Math.log(0.02) },
  ].sort((a, b) => b.logprob - a.logprob);
  const logprobs = { content: [{ ...top[0], top_logprobs: top }] };
  return whole({ content: top[0]?.token }, body.logprobs === true ? { logprobs } : {});
}

function completion(body: Body, text: string): object {
  const word = chance(text) < 0.5 ? "m" : "M";
  const logprobs = {
    tokens: [word],
    token_logprobs: [-0.2],
    top_logprobs: [{ [word]: -0.2, [word === "m" ? "M" : "m"]: -1.9 }],
    text_offset: [0],
  };
  return {
    object: "text_completion",
    model: body.model,
    choices: [{ index: 0, text: word, finish_reason: "length", ...(body.logprobs === undefined ? {} : { logprobs }) }],
    usage: { prompt_tokens: 90, completion_tokens: 1, total_tokens: 91 },
  };
}
