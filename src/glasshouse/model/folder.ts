/**
 * The folder that pre-training makes: a training run's, with a model card.
 * May not know: how anything is computed.
 */
import { type PretrainPlan, type PretrainRun, pretrainPlanSchema, pretrainRunSchema } from "../../records/pretrain.js";
import { type FolderRequest, openRunFolder, type RunFolder } from "../../steps/tune/folder.js";

export type PretrainFolder = RunFolder<PretrainPlan, PretrainRun>;

/** @throws UserError  as `openRunFolder` */
export const openPretrainFolder = (request: FolderRequest): Promise<PretrainFolder> =>
  openRunFolder(
    {
      command: "glasshouse pretrain",
      noun: "pre-training run",
      plan: pretrainPlanSchema,
      run: pretrainRunSchema,
      more: ["README.md"],
    },
    request,
  );
