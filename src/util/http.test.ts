import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { exchange, keyFrom, postJson, textCleaner } from "./http.js";

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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/x`, seen };
}

const quick = { firstWaitSeconds: 0.001 };
const ok = (): [number, string] => [200, '{"a":1}'];

describe("postJson", () => {
  it("asks again where it may help, and gives the reply", async () => {
    const { url, seen } = await serverOf([
      () => [500, "oops"],
      () => [429, "{}", { "retry-after": "0.01" }],
      () => [200, "<html>"],
      ok,
    ]);
    expect(await postJson(url, {}, quick)).toEqual({ kind: "reply", body: { a: 1 } });
    expect(seen).toHaveLength(4);
  });

  it("gives up after so many attempts, or at once where the request itself is refused", async () => {
    const down = await serverOf([() => [503, '{"error":{"message":"too\\nbusy"}}']]);
    expect(await postJson(down.url, {}, { ...quick, attempts: 3 })).toEqual({
      ...{ kind: "failed", reason: "503 too busy", refused: false },
    });
    expect(down.seen).toHaveLength(3);
    const picky = await serverOf([() => [400, '{"error":"too long"}']]);
    expect(await postJson(picky.url, {}, quick)).toEqual({ kind: "failed", reason: "400 too long", refused: true });
    expect(picky.seen).toHaveLength(1);
  });

  it.each([
    [401, "check the key"],
    [404, "check the URL"],
    [302, "check the URL"],
    [402, "nothing left to spend"],
  ])("stops with a remedy at status %i", async (status, remedy) => {
    const { url } = await serverOf([() => [status, "{}", { location: "http://127.0.0.1:1/" }]]);
    await expect(postJson(url, {}, quick)).rejects.toMatchObject({ remedy: expect.stringContaining(remedy) as string });
  });

  it("sends the key in its header and never shows it", async () => {
    const { url, seen } = await serverOf([(request) => [400, `{"error":"bad key ${request.headers.authorization}"}`]]);
    const result = await postJson(url, {}, { ...quick, key: "sk-very-secret" });
    expect(seen[0]!.headers.authorization).toBe("Bearer sk-very-secret");
    expect(result).toMatchObject({ kind: "failed", reason: "400 bad key Bearer [key]" });
  });

  it("bounds a reply's size, and says who does not answer", async () => {
    const { url } = await serverOf([() => [200, JSON.stringify("x".repeat(1000))]]);
    expect(await postJson(url, {}, { ...quick, attempts: 1, largestBytes: 100 })).toEqual({
      kind: "failed",
      reason: "a reply of more than 100 bytes",
      refused: false,
    });
    const gone = await serverOf([ok]);
    await new Promise((resolve) => servers.at(-1)?.close(resolve));
    await expect(postJson(gone.url, {}, quick)).rejects.toThrow(/cannot reach .*: ECONNREFUSED/);
  });

  it("takes an error under status 200 for what it says", async () => {
    const said = (code: unknown) => [200, JSON.stringify({ error: { message: "no", code } })] as [number, string];
    const busy = await serverOf([() => said(429), ok]);
    expect(await postJson(busy.url, {}, quick)).toEqual({ kind: "reply", body: { a: 1 } });
    const filtered = await serverOf([() => said("content_filter")]);
    expect(await postJson(filtered.url, {}, quick)).toEqual({
      kind: "failed",
      reason: "400 content_filter: no",
      refused: true,
    });
    const wrong = await serverOf([() => said("invalid_api_key")]);
    await expect(postJson(wrong.url, {}, quick)).rejects.toMatchObject({
      remedy: expect.stringContaining("the key") as string,
    });
    expect(wrong.seen).toHaveLength(1);
  });

  it("shows how a reply begins that is none", async () => {
    const { url } = await serverOf([() => [200, "<html>\nSign in\u0007</html>"]]);
    const result = await postJson(url, {}, { ...quick, attempts: 1 });
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
    const result = await postJson(url, {}, { attempts: 1, timeoutSeconds: 0.1 });
    expect(result).toEqual({ kind: "failed", reason: "no reply within 0.1 s", refused: false });
  });

  it("stops with the signal's reason", async () => {
    const { url } = await serverOf([() => [500, ""]]);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("stopped")), 20);
    await expect(postJson(url, {}, { firstWaitSeconds: 60, signal: controller.signal })).rejects.toThrow("stopped");
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
