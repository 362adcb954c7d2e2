"""Transformers as a peer of bench/train.ts: whole training steps in float32 with torch.optim.Adam; "go" in, one step's seconds out.

work file: rows ({inputIds, labels}, -100 where there is no loss), learningRate.
--at-once N computes N rows at a time and accumulates their gradients; without it all rows are computed at once.
"""
import argparse
import json
import resource
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM


def batches(rows, size):
    """What the model is called with, `size` rows at a time: those of similar length together, right-padded, where there is padding with a mask.

    A row's last token is only ever a target, so it is left out; targets are shifted here, [rows, longest row - 1] like the inputs.
    """
    rows = sorted(rows, key=lambda row: -len(row["inputIds"]))
    for here in (rows[at : at + size] for at in range(0, len(rows), size)):
        longest = len(here[0]["inputIds"])
        padded = lambda lists, value: torch.tensor([list + [value] * (longest - len(list)) for list in lists])
        ids, labels = padded([row["inputIds"] for row in here], 0), padded([row["labels"] for row in here], -100)
        mask = padded([[1] * len(row["inputIds"]) for row in here], 0)
        targets = labels[:, 1:].contiguous()
        yield {
            "input_ids": ids[:, :-1].contiguous(),
            "attention_mask": None if mask.all() else mask[:, :-1].contiguous(),
            "labels": targets,
            "shift_labels": targets,
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--at-once", type=int)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with open(args.work, encoding="utf-8") as file:
        work = json.load(file)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=work["learningRate"], betas=(0.9, 0.999), eps=1e-8)
    rows = work["rows"]
    supervised = sum(label != -100 for row in rows for label in row["labels"][1:])
    print(json.dumps({"peer": f"Transformers {transformers.__version__}, torch {torch.__version__}, torch.optim.Adam"}), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for batch in batches(rows, args.at_once or len(rows)):
            loss = model(**batch, num_items_in_batch=supervised, use_cache=False).loss  # summed, divided by all supervised tokens
            loss.backward()
            total += loss.item()
        torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])  # the gradient's norm, as everybody computes it
        optimizer.step()
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        norm = torch.stack([p.grad.double().norm() for p in model.parameters()]).norm()  # to compare: in float32 large sums are off by 1e-4
        print(json.dumps({"seconds": seconds, "loss": total, "norm": norm.item(), "peak": peak}), flush=True)


main()
