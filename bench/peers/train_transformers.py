"""Transformers as a peer of bench/peers/train.mjs: whole training steps in float32 with torch.optim.Adam; "go" in, one step's seconds out.

work file: config (config.json), inputs, targets (lists of ids, -100 where nothing is predicted), learning_rate.
--init makes a model with random weights in --model and ends, so that everybody begins from the same.
"""
import argparse
import json
import resource
import sys
import time

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--init", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with open(args.work, encoding="utf-8") as file:
        work = json.load(file)
    if args.init:
        torch.manual_seed(0)
        config = dict(work["config"])
        AutoModelForCausalLM.from_config(AutoConfig.for_model(config.pop("model_type"), **config)).save_pretrained(args.model)
        return
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=work["learning_rate"], betas=(0.9, 0.999), eps=1e-8)
    inputs, targets = torch.tensor(work["inputs"]), torch.tensor(work["targets"])
    print(json.dumps({"peer": f"Transformers {transformers.__version__}, torch {torch.__version__}, torch.optim.Adam"}), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = model(input_ids=inputs, labels=targets, shift_labels=targets, use_cache=False).loss  # targets are shifted already
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), float("inf"))  # the gradient's norm, as everybody computes it
        optimizer.step()
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"seconds": seconds, "loss": loss.item(), "peak": peak}), flush=True)


main()
