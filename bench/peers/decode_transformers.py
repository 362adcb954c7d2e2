"""Transformers as a peer of bench/decode.ts: one "go" line in, one JSON line of seconds out.

work file: prompts (lists of ids), tokens (new ones for each), rules (constant, eos, slope, until, used) or null.
--way generate   model.generate over the whole batch, left-padded, greedy, with the three rules as a logits processor
--way authors    no key/value cache, batch 1, logits of every position, as the paper's code decodes. A whole run would take hours, so a few
                 steps are timed and added up: forward passes of one prompt's sequence at five lengths, from the prompt alone to the
                 prompt and all its tokens but one, for the shortest, the middle and the longest prompt. Time between two lengths is
                 taken as linear (trapezoids), each third of the prompts as slow as its representative.
"""
import argparse
import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM, LogitsProcessor, LogitsProcessorList


class ThreeRules(LogitsProcessor):
    """The paper's rules on a batch: a tensor of scores that changes by one column and one element a row and step."""

    def __init__(self, rules, rows, prompt_length, vocabulary):
        self.rules, self.prompt_length = rules, prompt_length
        self.scores = torch.zeros(rows, vocabulary)
        for token, score in rules["constant"]:
            self.scores[:, token] += score
        self.eos_constant = self.scores[0, rules["eos"]].item()
        self.used = torch.zeros(rows, vocabulary, dtype=torch.bool)
        self.eos_used = torch.zeros(rows)

    def __call__(self, input_ids, scores):
        n, rules = input_ids.shape[1] - self.prompt_length, self.rules
        if n > 0:
            last = input_ids[:, -1:]
            fresh = ~self.used.gather(1, last)
            self.used.scatter_(1, last, True)
            self.scores.scatter_add_(1, last, fresh * float(rules["used"]))
        eos = rules["eos"]
        ramp = rules["slope"] * n
        row = scores + self.scores
        row[:, eos] += ramp
        return row


def batched(model, work):
    prompts, tokens, rules = work["prompts"], work["tokens"], work["rules"]
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    processors = LogitsProcessorList()
    if rules is not None:
        processors.append(ThreeRules(rules, len(prompts), longest, model.config.vocab_size))
    out = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=tokens,
        do_sample=False,
        logits_processor=processors,
        eos_token_id=None,
        pad_token_id=0,
    )
    assert out.shape == (len(prompts), longest + tokens), out.shape
    return out[:, longest:].tolist()


def generate(model, work):
    started = time.perf_counter()
    ids = []
    for at in range(0, len(work["prompts"]), work["batch"]):
        ids += batched(model, {**work, "prompts": work["prompts"][at : at + work["batch"]]})
    return {"seconds": time.perf_counter() - started, "ids": ids}


def authors(model, work):
    prompts = sorted(work["prompts"], key=len)
    tokens = work["tokens"]
    steps = sorted({round(i * (tokens - 1) / 4) for i in range(5)})
    seconds = []
    for place in (0, len(prompts) // 2, len(prompts) - 1):
        prompt = prompts[place]
        times = []
        for step in steps:
            ids = torch.tensor([prompt + [prompt[-1]] * step])
            started = time.perf_counter()
            logits = model(ids, use_cache=False).logits[0, -1]
            int(torch.argmax(logits))
            times.append(time.perf_counter() - started)
        answer = times[0]
        for i in range(1, len(steps)):
            answer += (steps[i] - steps[i - 1]) * (times[i] + times[i - 1]) / 2
        seconds.append(answer)
    return {"seconds": sum(seconds) / 3 * len(prompts)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--way", choices=["generate", "authors"], default="generate")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_grad_enabled(False)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None
    with open(args.work, encoding="utf-8") as file:
        work = json.load(file)
    way = {"generate": generate, "authors": authors}[args.way]
    print(json.dumps({"peer": f"Transformers {transformers.__version__}, torch {torch.__version__}"}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(way(model, work)), flush=True)


main()
