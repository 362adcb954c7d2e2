import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { type Limits, limitsSchema } from "../records/judge-file.js";
import { openClient } from "./client.js";
import { realClock } from "./clock.js";
import { exchange } from "./exchange.js";
import { keyFrom, textCleaner } from "./secrets.js";
import { openTransport } from "./transport.js";

const servers: (ReturnType<typeof createServer> | ReturnType<typeof createSocketServer>)[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** A server that answers the n-th request with the n-th of `replies`, the last one again and again. */
async function serverOf(replies: readonly ((request: IncomingMessage) => [number, string, object?])[]) {
  const seen: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    const reply = replies[Math.min(seen.length, replies.length - 1)]!;
    seen.push(request);
    request.resume().on("end", () => {
      const [status, body, headers = {}] = reply(request);
      response.writeHead(status, { ...headers }).end(body);
    });
  };
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen };
}

const ok = (): [number, string] => [200, '{"a":1}'];
const words = { who: "it", address: "the URL", model: "the name", where: "", refused: "ask otherwise" };

interface How extends Partial<Limits> {
  readonly key?: string;
  readonly signal?: AbortSignal;
  readonly api?: "chat" | "embeddings";
}

/** One request through transport and client. (Any JSON is a reply to a request for embeddings.) */
async function ask(baseUrl: string, { key, signal, api = "embeddings", ...given }: How = {}) {
  const limits = limitsSchema.parse({ backoff_seconds: 0.001, ...given });
  const send = openTransport(
    { baseUrl, api, model: "m", timeoutSeconds: limits.timeout_seconds, words },
    key === undefined ? {} : { OPENAI_API_KEY: key },
  );
  const estimate = () => ({ input: 1, output: 1 });
  const client = openClient({ send, server: baseUrl, words, limits, estimate, clock: realClock, signal, earlier: 0 });
  return client.ask({ key: "k" });
}

describe("asking", () => {
  it("asks again where it may help, and gives the reply", async () => {
    const { url, seen } = await serverOf([
      () => [500, "oops"],
      () => [429, "{}", { "retry-after": "0.01" }],
      () => [200, "<html>"],
      ok,
    ]);
    expect(await ask(url)).toEqual({ kind: "reply", status: 200, body: { a: 1 } });
    expect(seen).toHaveLength(4);
  });

  it("gives up after so many attempts, or at once where the request itself is refused", async () => {
    const down = await serverOf([() => [503, '{"error":{"message":"too\\nbusy"}}']]);
    expect(await ask(down.url, { retries: 2 })).toEqual({ kind: "failed", reason: "503 too busy" });
    expect(down.seen).toHaveLength(3);
    const picky = await serverOf([() => [400, '{"error":"too long"}']]);
    expect(await ask(picky.url)).toEqual({ kind: "refused", reason: "400 too long", filtered: false });
    expect(picky.seen).toHaveLength(1);
    const deaf = await serverOf([() => [400, '{"error":"no such field"}']]);
    await expect(ask(deaf.url)).rejects.toThrow("it refuses the request: 400 no such field");
    expect(deaf.seen).toHaveLength(1);
  });

  it.each([
    [401, "to a key of this server"],
    [404, "check the URL (mostly it ends in /v1) and the name (m)"],
    [302, "check the URL"],
    [402, "nothing left to spend"],
  ])("stops with a remedy at status %i", async (status, remedy) => {
    const { url, seen } = await serverOf([() => [status, "{}", { location: "http://127.0.0.1:1/" }]]);
    await expect(ask(url)).rejects.toMatchObject({ remedy: expect.stringContaining(remedy) as string });
    expect(seen).toHaveLength(1);
  });

  it("sends the key in its header and never shows it", async () => {
    const { url, seen } = await serverOf([
      (request) => [400, `{"error":"too long a key ${request.headers.authorization}"}`],
    ]);
    const result = await ask(url, { key: "sk-very-secret" });
    expect(seen[0]!.headers.authorization).toBe("Bearer sk-very-secret");
    expect(result).toMatchObject({ kind: "refused", reason: "400 too long a key Bearer [key]" });
  });

  it("bounds a reply's size, and says who does not answer", async () => {
    const { url } = await serverOf([() => [200, JSON.stringify("x".repeat(8 << 20))]]);
    expect(await ask(url, { retries: 0, api: "chat" })).toEqual({
      kind: "failed",
      reason: "a reply of more than 8388608 bytes",
    });
    const gone = await serverOf([ok]);
    await new Promise((resolve) => servers.at(-1)?.close(resolve));
    await expect(ask(gone.url)).rejects.toThrow(/nobody answers at .*ECONNREFUSED/);
  });

  it("takes an error under status 200 for what it says", async () => {
    const said = (code: unknown) => [200, JSON.stringify({ error: { message: "no", code } })] as [number, string];
    const busy = await serverOf([() => said(429), ok]);
    expect(await ask(busy.url)).toEqual({ kind: "reply", status: 200, body: { a: 1 } });
    const filtered = await serverOf([() => said("content_filter")]);
    expect(await ask(filtered.url)).toEqual({ kind: "refused", reason: "400 content_filter: no", filtered: true });
    const wrong = await serverOf([() => said("invalid_api_key")]);
    await expect(ask(wrong.url, { key: "sk-12345" })).rejects.toMatchObject({
      remedy: expect.stringContaining("check the key in OPENAI_API_KEY") as string,
    });
    expect(wrong.seen).toHaveLength(1);
  });

  it("shows how a reply begins that is none", async () => {
    const { url } = await serverOf([() => [200, "<html>\nSign in\u0007</html>"]]);
    const result = await ask(url, { retries: 0 });
    expect(result).toMatchObject({ reason: "the reply is not JSON: <html> Sign in\\u0007</html>" });
  });

  it("does not wait longer than it says, whatever trickles in", async () => {
    const server = createServer((_request, response) => {
      const timer = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(timer));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const result = await ask(url, { retries: 0, timeout_seconds: 0.1 });
    expect(result).toEqual({ kind: "failed", reason: "no reply within 0.1 s" });
  });

  it("stops with the signal's reason", async () => {
    const { url } = await serverOf([() => [500, ""]]);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("stopped")), 20);
    await expect(ask(url, { backoff_seconds: 60, signal: controller.signal })).rejects.toThrow("stopped");
  });

  it("wants the key that is named", () => {
    const server = {
      baseUrl: "http://127.0.0.1",
      api: "chat",
      model: "m",
      apiKeyEnv: "K",
      timeoutSeconds: 1,
      words,
    } as const;
    expect(() => openTransport(server, {})).toThrow("the key for it is to come from K, which is not set");
  });
});

it("takes the key out of a text, however JSON writes it there, and leaves the rest as it is", () => {
  const clean = textCleaner('sk/"1\\2');
  const value = { a: 'x sk/"1\\2 y', b: "tab\t", c: 1.5, d: "\\u0073" };
  expect(JSON.parse(clean(JSON.stringify(value)))).toEqual({ ...value, a: "x [key] y" });
  expect(textCleaner("sk/secret")('{"a":"\\u0073k\\/secre\\u0074"}')).toBe('{"a":"[key]"}');
  expect(textCleaner("none")("none")).toBe("none");
});

it("takes a key from the environment, and nothing that is none", () => {
  expect(keyFrom("K", { K: " abc\n" })).toBe("abc");
  expect(keyFrom("K", {})).toBeUndefined();
  expect(() => keyFrom("K", { K: "a b" })).toThrow("holds characters that no key has");
});

describe("what is no reply comes to an end", () => {
  const head = "HTTP/1.1 200 OK\r\n";
  const bomb = gzipSync(Buffer.alloc(8 << 20, 32));
  const cases: [string, (socket: Socket) => void, RegExp][] = [
    [
      "a reset within the body",
      (socket) => {
        socket.write(`${head}content-length: 99\r\n\r\n{"a`, () => socket.resetAndDestroy());
      },
      /ECONNRESET|UND_ERR_SOCKET/, // which one is a matter of time
    ],
    ["an end within the body", (socket) => socket.end(`${head}content-length: 99\r\n\r\n{"a`), /UND_ERR_SOCKET/],
    ["another protocol", (socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"), /HPE_INVALID/],
    [
      "a body that unpacks to much more",
      (socket) => {
        socket.write(`${head}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
        socket.end(bomb);
      },
      /a reply of more than 1048576 bytes/,
    ],
    [
      "a body that never ends",
      (socket) => {
        const more = (): boolean => socket.writable && socket.write(" ".repeat(1 << 16)) && more();
        socket.write(`${head}\r\n`);
        socket.on("drain", more);
        more();
      },
      /a reply of more than 1048576 bytes/,
    ],
  ];
  it.each(cases)("%s", async (_what, act, reason) => {
    const server = createSocketServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => act(socket));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const error = await exchange({ url, headers: {}, body: "{}", seconds: 10, largest: 1 << 20 }).catch(
      (e: Error) => e,
    );
    const { message, cause } = error as Error & { cause?: { code?: string } };
    expect(`${message} ${cause?.code ?? ""} ${(error as { code?: string }).code ?? ""}`).toMatch(reason);
  });
});
