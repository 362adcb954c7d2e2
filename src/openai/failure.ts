/**
 * Why a request to an OpenAI-compatible server brought no reply, and what helps: the same request again, another request, or only what
 * somebody has to change. An error counts as what it says, whether it came under its own status or under 200.
 * May not know: what was asked, how often to try.
 */

import { quoted } from "../util/terminal.js";
import { parsedJson } from "./body.js";
import { type Fields, fieldsOf, isBrokenOff, saysSomething, textOfContent } from "./parts.js";

export type Failure =
  /** It may work another time, after `waitMs` where the server says so. */
  | { readonly kind: "again"; readonly error: string; readonly waitMs?: number }
  /** This request was refused and would be again; others may work. `filtered`: for its content. */
  | { readonly kind: "rejected"; readonly error: string; readonly filtered: boolean }
  /** None will work before somebody changes something. */
  | { readonly kind: "hopeless"; readonly error: string; readonly remedy: string };

/** What to change, in the words of whoever asked. */
export interface Remedies {
  /** 401: no key, or a wrong one. */
  readonly key: string;
  /** 403. */
  readonly rights: string;
  /** 404: a wrong address or a wrong model. */
  readonly missing: string;
  /** Redirects, 405, names that nobody knows. */
  readonly address: string;
}

/** What an answer says is wrong: of a status that is not 200, or of a body that holds an error. */
export interface Complaint {
  /** The answer's own, or under 200 the one that the error names; undefined where it names none. */
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly words: string;
}

/** The error in a body of status 200; undefined where there is none, or only beside a completion that came to its end. */
export function errorIn(body: unknown): Complaint | undefined {
  const top = fieldsOf(Array.isArray(body) ? body[0] : body);
  if (top === undefined) return undefined;
  const choice = Array.isArray(top.choices) ? fieldsOf(top.choices[0]) : undefined;
  const brokenOff = isBrokenOff(choice?.finish_reason);
  const beside = choice !== undefined && !brokenOff && isWhole(choice);
  const candidates = [beside ? undefined : top.error, choice?.error, top.object === "error" ? top : undefined];
  const found = candidates.find(saysSomething);
  if (found === undefined && !brokenOff) return undefined;
  const { code, status } = namedBy(found);
  const words = wordsOf(body, "");
  if (words !== "") return { status, code, words };
  const told = brokenOff
    ? `the reply ended with ${JSON.stringify(choice?.finish_reason)}`
    : `an error: ${shortJson(found)}`;
  return { status, code, words: told };
}

/** A text that was paid for, and how it ended. */
const isWhole = ({ message, text, finish_reason: finish }: Fields): boolean =>
  typeof finish === "string" && textOfContent(fieldsOf(message)?.content ?? text).trim() !== "";

/** @param status  which is not 200 */
export function complaintOf(status: number, text: string): Complaint {
  const body = parsedJson(text.slice(0, 1 << 20));
  const { code } = namedBy(fieldsOf(Array.isArray(body) ? body[0] : body)?.error ?? body);
  return { status, code, words: wordsOf(body, text) };
}

/** @param waitMs  that the server asks for */
export function failureOf(complaint: Complaint, waitMs: number | undefined, remedies: Remedies): Failure {
  const { status, code, words } = complaint;
  const told = code === undefined ? words : `${code}: ${words}`;
  const error = [status, told].join(" ").trim();
  if (isFiltered(complaint)) return { kind: "rejected", error, filtered: true };
  const remedy = remedyFor(effective(status, code), remedies);
  if (remedy !== undefined) return { kind: "hopeless", error, remedy };
  if (status === undefined || [408, 409, 425, 429].includes(status) || status >= 500) {
    return { kind: "again", error, ...(waitMs === undefined ? {} : { waitMs }) };
  }
  return { kind: "rejected", error, filtered: false };
}

/** A quota that is used up comes as 429, which more requests will not help. */
const effective = (status: number | undefined, code: string | undefined): number | undefined =>
  code !== undefined && statusNamed(code) === 402 ? 402 : status;

function remedyFor(status: number | undefined, remedies: Remedies): string | undefined {
  if (status === undefined) return undefined;
  if (status === 401) return remedies.key;
  if (status === 403) return remedies.rights;
  if (status === 402) return "the account has nothing left to spend";
  if (status === 404) return remedies.missing;
  if (status === 405 || (status >= 300 && status < 400)) return remedies.address;
  return undefined;
}

// What servers call their errors, letters alone, as the status that others give the same error.
const named: readonly (readonly [status: number, names: RegExp])[] = [
  [402, /^(insufficientquota|insufficientbalance|insufficientcredits?|paymentrequired|billing\w*)$/],
  [401, /^(invalidapikey|authentication(error)?|unauthorized|unauthenticated|invalidauthentication)$/],
  [403, /^(permissiondenied(error)?|permissionerror|forbidden|accessdenied)$/],
  [404, /^(modelnotfound|notfound(error)?)$/],
  [429, /^(ratelimit\w*|toomanyrequests|resourceexhausted|throttl\w*)$/],
  [503, /^(overloaded(error)?|unavailable|serviceunavailable\w*|engineoverloaded)$/],
  [500, /^(server|internal|internalserver|api)error$|^internal$/],
  [504, /^(timeout|gatewaytimeout|deadlineexceeded)$/],
  [400, /^(contextlengthexceeded|stringabovemaxlength|invalidrequest(error)?|badrequest(error)?|invalidargument)$/],
  [400, /^(unsupported(parameter|value)|contentfilter|contentpolicyviolation|responsibleaipolicyviolation)$/],
];

function statusNamed(name: string): number | undefined {
  const letters = name.toLowerCase().replace(/[^a-z]/g, "");
  return named.find(([, names]) => names.test(letters))?.[0];
}

function namedBy(error: unknown): { readonly code: string | undefined; readonly status: number | undefined } {
  const { code, type, status } = fieldsOf(error) ?? {};
  const numbers = [code, status].map(Number).filter((n) => Number.isInteger(n) && n >= 300 && n < 600);
  const names = [code, status, type].filter((name) => typeof name === "string");
  const byName = names.flatMap((name) => statusNamed(name) ?? []);
  const text = typeof code === "string" && !/^\d*$/.test(code) ? quoted(code.slice(0, 100)) : undefined;
  return { code: text, status: numbers[0] ?? byName[0] };
}

const filterCode = /^(contentfilter\w*|contentpolicyviolation|responsibleaipolicyviolation|moderation\w*)$/;
const filterWords =
  /content[_ -]?filter|content (?:management )?policy|responsible ai|requires moderation|was flagged/i;

/** Whether a request was refused for what its texts say. */
function isFiltered({ status, code, words }: Complaint): boolean {
  if (code !== undefined && filterCode.test(code.toLowerCase().replace(/[^a-z]/g, ""))) return true;
  return (status === undefined || [400, 403, 422, 451].includes(status)) && filterWords.test(words);
}

/** The server's own words, which may be long and may be anything: on one line, and safe to show. */
function wordsOf(body: unknown, text: string): string {
  const top = fieldsOf(Array.isArray(body) ? body[0] : body) ?? {};
  const choices: readonly unknown[] = Array.isArray(top.choices) ? top.choices : [];
  const errors: readonly unknown[] = Array.isArray(top.errors) ? top.errors : [];
  const detail: readonly unknown[] = Array.isArray(top.detail) ? top.detail : [top.detail];
  const candidates = [top.error, fieldsOf(choices[0])?.error, top.message, errors[0], detail[0]];
  const found = candidates.map(saidBy).find((words) => words !== undefined && words.trim() !== "");
  return quoted((found ?? text).slice(0, 4000).replace(/\s+/g, " ").trim().slice(0, 500));
}

function saidBy(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const { message, msg, error } = fieldsOf(value) ?? {};
  return [message, msg, error].find((words) => typeof words === "string");
}

const shortJson = (value: unknown): string => quoted(JSON.stringify(value).slice(0, 200));

const unknownSigner = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
  "INVALID_CA",
]);
const trust = "set NODE_EXTRA_CA_CERTS=FILE, the certificate (PEM) of whoever signed it";

/** What is wrong with a server's certificate, or with how it is spoken to. */
function tlsRemedy(code: string, message: string): string | undefined {
  if (unknownSigner.has(code)) return `nobody known has signed the server's certificate: ${trust}`;
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    return `the server's certificate is out of date: renew it, or check this machine's clock (for one of your own, ${trust})`;
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID" || code === "HOSTNAME_MISMATCH") {
    return `the server's certificate is for another name: use that name in the address (for one of your own, ${trust})`;
  }
  if (
    code === "ERR_SSL_WRONG_VERSION_NUMBER" ||
    (code === "EPROTO" && /wrong version number|packet length/.test(message))
  ) {
    return "the server does not speak TLS there: write http:// in place of https://";
  }
  return code.startsWith("CERT_") || code.startsWith("ERR_TLS_CERT") ? trust : undefined;
}

/** @param url  which holds no key */
export function networkFailure(
  error: unknown,
  url: string,
  seconds: number,
  remedies: Remedies,
): Failure & { readonly code?: string } {
  if (error instanceof Error && error.name === "TimeoutError") {
    return { kind: "again", error: `no reply within ${seconds} s` };
  }
  const cause: NodeJS.ErrnoException | undefined =
    error instanceof Error ? ((error.cause as NodeJS.ErrnoException | undefined) ?? error) : undefined;
  const code = typeof cause?.code === "string" ? cause.code : undefined;
  const message = quoted((cause?.message ?? String(error)).replace(/\s+/g, " ").slice(0, 300));
  const tls = code === undefined ? undefined : tlsRemedy(code, message);
  if (tls !== undefined) return { kind: "hopeless", error: `cannot reach ${url}: ${code}`, remedy: tls };
  if (code === "ENOTFOUND" || code === "ERR_INVALID_URL" || message === "bad port") {
    return { kind: "hopeless", error: `cannot reach ${url}: ${code ?? message}`, remedy: remedies.address };
  }
  return { kind: "again", error: code ?? message, ...(code === undefined ? {} : { code }) };
}

const tooLong = /context|too (?:long|large|many tokens)|maximum.{0,20}(?:length|tokens)|token limit/i;

/** Whether a request was rejected (status 400 and the like) for how long this one is, and not for how every request looks. */
export const isTooLong = (error: string): boolean => tooLong.test(error);
