/**
 * A language model behind a server as what judges and rewrites: every reply goes to the result's ledger, from which a stopped run resumes.
 * May not know: rows, files.
 */
import { z } from "zod";
import {
  checkPrompt,
  languageModelRephraser,
  type ModelReply,
  rewritePrompt,
} from "../data/rephrase/language-model.js";
import { type Rephraser, rephraseExample } from "../data/rephrase/rephrase.js";
import { openClient } from "../openai/client.js";
import { realClock } from "../openai/clock.js";
import { type Completion, declinedIn, isCut } from "../openai/completion.js";
import { estimateTokens } from "../openai/cost.js";
import { keptReply } from "../openai/ledger.js";
import { withoutReasoning } from "../openai/reasoning.js";
import { openTransport, urlOf } from "../openai/transport.js";
import type { ServerWords } from "../openai/words.js";
import type { Example } from "../records/example.js";
import { type Limits, limitsSchema } from "../records/judge-file.js";
import type { RephraseSummary } from "../records/rephrase.js";
import { type ReplyLine, replyLineSchema } from "../records/reply-ledger.js";
import { present, UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import type { Result } from "../util/result.js";

export interface ModelMethod {
  readonly kind: "llm";
  /** Of an OpenAI-compatible server, mostly ending in /v1. */
  readonly baseUrl: string;
  readonly model: string;
  /** The variable that holds the key; without: OPENAI_API_KEY, where that is set. */
  readonly apiKeyEnv?: string;
  /** As a judge's; `concurrency` defaults to 4. */
  readonly limits?: Partial<Limits>;
}

export interface OpenRephraser {
  readonly rephraser: Rephraser;
  /** Rows at a time. */
  readonly atATime: number;
  /** Whether earlier runs left every reply that a row needs. */
  isKnown(example: Example): Promise<boolean>;
  calls(): RephraseSummary["calls"];
  /** @throws UserError  nothing is known of some rows: a result without them would be taken for a whole one */
  settle(): void;
}

const words: ServerWords = {
  who: "the model",
  address: "the server's URL",
  model: "the model's name",
  where: "",
  refused: "use a server and a model that take chat completions",
};

export const promptsHash = (): string => {
  const empty = { instruction: "", response: "" };
  return sha256(checkPrompt(empty) + rewritePrompt(empty));
};

/** @throws UserError  the key is missing, or the ledger is damaged */
export async function openModelRephraser(
  method: ModelMethod,
  result: Result,
  signal: AbortSignal | undefined,
): Promise<OpenRephraser> {
  const limits = limitsSchema.parse({ concurrency: 4, ...method.limits });
  const server = { ...method, api: "chat", timeoutSeconds: limits.timeout_seconds, words } as const;
  const post = openTransport(server);
  const url = urlOf(server);
  const known = new Map<string, ModelReply>();
  const ledger = await result.ledger<ReplyLine>((line) => take(known, readLine(line)));
  const client = openClient<{ readonly key: string; readonly prompt: string }>({
    send: ({ prompt }) => post({ model: method.model, messages: [{ role: "user", content: prompt }], temperature: 0 }),
    server: method.baseUrl,
    words,
    limits,
    estimate: ({ prompt }) => {
      const input = estimateTokens(Buffer.byteLength(prompt), 1);
      return { input, output: input }; // what is rewritten is about as long as it was
    },
    clock: realClock,
    signal,
    earlier: known.size,
    record: async (line) => {
      if ("error" in line) return; // may be answered another time
      await ledger.append(line);
      take(known, line);
    },
  });
  const counts = { asked: 0, reused: 0, failed: 0 };
  let [answered, silent, last] = [0, 0, ""];

  const keyOf = (prompt: string): string => sha256(JSON.stringify([url, method.model, prompt])).slice(0, 32);
  const replyTo = async (prompt: string): Promise<ModelReply> => {
    const key = keyOf(prompt);
    const before = known.get(key);
    if (before !== undefined) {
      counts.reused++;
      return before;
    }
    counts.asked++;
    const answer = await client.ask({ key, prompt });
    if (answer.kind === "failed") silent++;
    if (answer.kind === "failed" || answer.kind === "refused") return { kind: "failed", reason: answer.reason };
    return present(known.get(key), "the reply");
  };
  const ask = async (prompt: string): Promise<ModelReply> => {
    const reply = await replyTo(prompt);
    if (reply.kind === "reply") answered++;
    else [counts.failed, last] = [counts.failed + 1, reply.reason];
    return reply;
  };
  const failure = (what: string): UserError =>
    new UserError(`${what} to the model got no reply: ${last}`, {
      remedy: "nothing is written yet and every reply is kept: run again to ask for the rest",
    });
  return {
    rephraser: languageModelRephraser(ask),
    atATime: limits.concurrency,
    async isKnown(example) {
      let missing = 0;
      const lookUp = async (prompt: string): Promise<ModelReply> => {
        const reply = known.get(keyOf(prompt));
        if (reply === undefined) missing++;
        return reply ?? { kind: "failed", reason: "not asked yet" };
      };
      await rephraseExample(example, languageModelRephraser(lookUp));
      return missing === 0;
    },
    calls: () => counts,
    settle() {
      if (silent > 0) throw failure(`${silent} of ${counts.asked} calls`);
      if (counts.failed > 0 && answered === 0) throw failure(`each of ${counts.failed} calls`);
    },
  };
}

/** @throws Error  the reason why it is not a line of this ledger */
function readLine(line: unknown): ReplyLine {
  const read = replyLineSchema.safeParse(line);
  if (read.success) return read.data;
  if (olderLineSchema.safeParse(line).success) throw new Error("an older version wrote it, which kept less of a reply");
  throw read.error;
}

/** Of older versions: a reply's text, with its reasoning taken off. */
const olderLineSchema = z.strictObject({ key: z.string(), text: z.string(), cut: z.boolean() });

function take(known: Map<string, ModelReply>, line: ReplyLine): void {
  if ("error" in line || known.has(line.key)) return;
  const kept = keptReply(line);
  if (kept === undefined) return;
  known.set(line.key, kept.kind === "unreadable" ? { kind: "failed", reason: kept.reason } : replyIn(kept.completion));
}

/** Nothing is said where reasoning never ended. */
function replyIn(completion: Completion): ModelReply {
  const declined = declinedIn(completion, "the model");
  if (declined !== undefined) return { kind: "failed", reason: declined };
  return { kind: "reply", text: withoutReasoning(completion.text) ?? "", cut: isCut(completion.finish) };
}
