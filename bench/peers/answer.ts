/** A peer's side: says who it is, then computes once for every line that it is sent. */
import { createInterface } from "node:readline";

export async function answerTurns(peer: string, once: () => Promise<object>): Promise<void> {
  process.stdout.write(`${JSON.stringify({ peer })}\n`);
  for await (const _ of createInterface({ input: process.stdin })) {
    const started = performance.now();
    const found = await once();
    process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - started) / 1000, ...found })}\n`);
  }
}
