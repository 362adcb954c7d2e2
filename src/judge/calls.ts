/**
 * A call: two answers shown to the judge once; what is sent for it, what it may cost, and how it is sent.
 * May not know: which answer is the model's, what a reply means.
 */

import { estimateTokens, type Tokens } from "../openai/cost.js";
import { openTransport, type Send } from "../openai/transport.js";
import type { ServerWords } from "../openai/words.js";
import type { AskedJudge, OpenaiJudge } from "../records/judge-file.js";
import { requestParameters } from "./judge-file.js";
import type { ChatMessage, Shown } from "./prompt.js";
import { scriptedReply } from "./scripted.js";

export interface Call {
  readonly key: string;
  /** Which of several replies to the same messages, from 0. */
  readonly vote: number;
  readonly shown: Shown;
  messages(): readonly ChatMessage[];
}

export const judgeWords: ServerWords = {
  who: "the judge",
  address: "base_url",
  model: "model",
  where: " in the judge file",
  refused: "change `parameters` in the judge file to what this server takes (null leaves a default out)",
};

/** @throws UserError  the judge names a variable for its key and that is not set */
export function openJudge(judge: AskedJudge, env: NodeJS.ProcessEnv = process.env): Send<Call> {
  if (judge.kind === "scripted") return async ({ shown }) => scriptedReply(judge, shown);
  const post = openTransport(
    {
      baseUrl: judge.base_url,
      api: judge.api,
      model: judge.model,
      apiKeyEnv: judge.api_key_env,
      timeoutSeconds: judge.limits.timeout_seconds,
      words: judgeWords,
    },
    env,
  );
  return ({ messages, vote }) => post(requestBody(judge, messages(), vote));
}

function requestBody(judge: OpenaiJudge, messages: readonly ChatMessage[], vote: number): object {
  const said = judge.api === "chat" ? { messages } : { prompt: messages.map(({ content }) => content).join("\n\n") };
  const parameters = requestParameters(judge);
  // Votes are different requests, so that no cache on the way makes one of them.
  const seed = judge.votes > 1 && parameters.seed === undefined ? { seed: vote } : {};
  return { model: judge.model, ...said, ...parameters, ...seed };
}

/** What a call will cost, about: its output at its limit. */
export function estimateOf(call: Call, judge: AskedJudge): Tokens {
  const messages = call.messages();
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  return { input: estimateTokens(bytes, messages.length), output: maxOutput(judge) };
}

/** Most tokens that a reply may have. */
export function maxOutput(judge: AskedJudge): number {
  if (judge.kind === "scripted") return 1;
  const { max_tokens: old, max_completion_tokens: fresh } = requestParameters(judge);
  const most = fresh ?? old;
  return typeof most === "number" && most > 0 ? most : 1024;
}
