"""Transformers as a peer of bench/rank.ts: log-likelihoods of responses, batched and padded; "go" in, seconds out.

work file: rows of {prompt, response} (lists of ids), batch. Rows are sorted by length, so that padding is small; logits are computed
for the positions that predict a response token only (the longest response of the batch), not for the prompt.
"""
import argparse
import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM


def score(model, rows):
    """Right-padded: causal attention never sees what lies behind."""
    longest = max(len(p) + len(r) for p, r in rows)
    keep = max(longest - len(p) for p, r in rows) + 1
    ids = torch.tensor([p + r + [0] * (longest - len(p) - len(r)) for p, r in rows])
    mask = torch.tensor([[1] * (len(p) + len(r)) + [0] * (longest - len(p) - len(r)) for p, r in rows])
    logits = model(ids, attention_mask=mask, logits_to_keep=keep, use_cache=False).logits
    picked = torch.log_softmax(logits[:, :-1], -1).gather(2, ids[:, longest - keep + 1 :, None])[..., 0]
    first = longest - keep + 1
    return [float(picked[i, len(p) - first : len(p) - first + len(r)].sum()) for i, (p, r) in enumerate(rows)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
    with open(args.work, encoding="utf-8") as file:
        work = json.load(file)
    rows = [(row["prompt"], row["response"]) for row in work["rows"]]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + len(rows[i][1]))
    print(json.dumps({"peer": f"Transformers {transformers.__version__}, torch {torch.__version__}"}), flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        sums = [0.0] * len(rows)
        for at in range(0, len(order), work["batch"]):
            here = order[at : at + work["batch"]]
            for i, value in zip(here, score(model, [rows[i] for i in here])):
                sums[i] = value
        print(json.dumps({"seconds": time.perf_counter() - started, "sums": sums}), flush=True)


main()
