/**
 * What the steps of a study will take: seconds, memory, calls to the judge and their price. Speeds are those of finished steps of the same
 * kind in this folder; where there is none, the engine is asked, as it is for memory.
 * May not know: how a step is carried out, which kinds there are.
 */
import type { Opened, OpenedModel } from "../../engine/opened.js";
import { embedding } from "../../engine/refusals.js";
import type { Pooling } from "../../records/similarity.js";
import {
  forecastAnswers,
  forecastJudge,
  forecastPairs,
  forecastPrompts,
  forecastTuning,
} from "../../steps/forecast.js";
import { openEngine } from "../../steps/open-engine.js";
import type { TuneWork as TuneOptions } from "../../steps/tune/options.js";
import { present } from "../../util/errors.js";
import type { StudyState } from "../results/state.js";
import type { AnswersAsked, FinishedStep, Forecast, Known, Limit, Place } from "../step.js";
import { definitionOf, resultOf, type Step, type StepWork } from "../steps.js";
import type { Graph } from "./graph-builder.js";
import type { Prepared } from "./prepare.js";
import { isUrl } from "./sources.js";

export interface Forecaster extends AsyncDisposable {
  of(step: Step): Promise<Forecast>;
}

/** @param graph  in which every step has a plan */
export function openForecaster({ inputs, engine }: Prepared, state: StudyState, graph: Graph): Forecaster {
  const opened: Opened[] = [];
  const kept = async <O extends Opened>(opening: Promise<O>): Promise<O> => {
    const one = await opening;
    opened.push(one);
    return one;
  };
  const open = once<Parameters<Known<StepWork>["open"]>, OpenedModel>((model, precision) =>
    kept(openEngine({ ...engine, precision }).open(model, { toPlan: true })),
  );
  const prompts = once((data: Place, limit: Limit | undefined) => forecastPrompts(outside(data), limit));
  const finished = finishedSteps(state);
  const answers = {
    open,
    openEncoder: once(async (encoder: Place, pooling?: Pooling) =>
      isUrl(outside(encoder)) ? undefined : kept(embedding(openEngine(engine))(outside(encoder), pooling)),
    ),
    pairs: once((data: Place, limit: Limit | undefined) => forecastPairs(outside(data), limit)),
    prompts,
    answers: once(async ({ model, prompts: data, limit, rules, settings }: AnswersAsked) =>
      forecastAnswers(await open(model, settings.precision), await prompts(data, limit), {
        ...settings,
        ...(rules === undefined ? {} : { rules: outside(rules.file) }),
        disableRules: rules?.disable ?? [],
      }),
    ),
    tuning: once(async (work: TuneOptions) => forecastTuning(await open(work.model), work)),
    judge: once((judge: Place) => forecastJudge(outside(judge))),
    async answersAt(place: Place) {
      const step = graph.steps.find(({ plan }) => plan !== undefined && isAt(place, resultOf(plan)));
      return step === undefined ? undefined : (await of(step)).answers;
    },
  } satisfies Partial<Known<StepWork>>;
  const of = once(async (step: Step): Promise<Forecast> => {
    const { work } = present(step.plan, step.id);
    const { cell } = step;
    const model = cell === undefined ? undefined : { name: cell.model, path: inputs.get("model", cell.model).path };
    const known = {
      ...answers,
      cell,
      model,
      finished: finished.filter((one) => one.work.kind === work.kind),
    };
    return definitionOf(work.kind).forecast(work, known);
  });
  return {
    of,
    async [Symbol.asyncDispose]() {
      for (const one of opened) await one[Symbol.asyncDispose]();
    },
  };
}

/** The same question is answered once: many steps differ by their seed alone. */
function once<Question extends readonly unknown[], Answer>(
  ask: (...question: Question) => Promise<Answer>,
): (...question: Question) => Promise<Answer> {
  const answers = new Map<string, Promise<Answer>>();
  return (...question) => {
    const key = JSON.stringify(question);
    const known = answers.get(key) ?? ask(...question);
    answers.set(key, known);
    return known;
  };
}

const outside = (place: Place): string => ("outside" in place ? place.outside : "");
const isAt = (place: Place, result: { readonly inside: string }): boolean =>
  "inside" in place && place.inside === result.inside;

function finishedSteps(state: StudyState): FinishedStep<StepWork>[] {
  return state.graph().steps.flatMap(({ cell, plan }) => {
    const record = plan === undefined ? undefined : state.records.get(plan.key);
    if (plan === undefined || record?.outcome.kind !== "done") return [];
    return [{ work: plan.work, cell, timings: record.timings }];
  });
}
