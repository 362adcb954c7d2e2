/**
 * What a data set is: where it comes from, what one record of it becomes, and what the paper says about it.
 * May not know: how files are read.
 */
import type { Format } from "../formats/formats.js";
import type { Outcome } from "../record.js";

export interface DataSet {
  readonly name: string;
  readonly title: string;
  /** Where the public has it. */
  readonly source: string;
  /** What may be done with it, in one line. Not legal advice. */
  readonly licence: string;
  readonly formats: readonly Format[];
  /** The paper's transform, in words. */
  readonly instruction: string;
  readonly response: string;
  /** Examples in the paper; undefined for plain files. */
  readonly paperRows?: number;
  /** How many examples are taken from the front of the file unless the caller says otherwise. */
  readonly limit?: number;
  /** The records that the paper leaves out, if any. */
  readonly leavesOut?: string;
  /** Keys with content that is left aside on purpose. Other content that an example does not hold makes its record a bad one. */
  readonly leavesAside?: readonly string[];
  /** What the records of this set become. */
  readonly toOutcome: (record: RecordInSet) => Outcome;
}

export interface RecordInSet {
  readonly value: unknown;
  /** Position in the file from 0, counting every record, also those that are left out. */
  readonly index: number;
}
