"""Python with `tokenizers` as a peer of bench/render.ts: examples with messages in, rows of ids and labels out, as JSON lines; a whole process.

Prompt and response of a turn are encoded as one text, in which the prompt's ids must come first; a later turn is a piece of its own behind
the EOS of the one before. --batch hands all texts over at once, which the package then encodes on all cores; without it, one by one.
"""
import argparse
import json
import os

from tokenizers import Tokenizer

IGNORE = -100


def contents(example):
    """User and assistant by turns, of either layout of plain rows."""
    if "messages" in example:
        return [message["content"] for message in example["messages"]]
    return [example["instruction"], example["response"]]


def turns(example, objective):
    """[(prompt, prompt and response)] in the template `tulu`."""
    texts = [text.strip() for text in contents(example)]
    if objective == "response":
        texts[::2] = [""] * len(texts[::2])
    prompts = [f"{chr(10) if i > 0 else ''}<|user|>\n{text}\n<|assistant|>\n" for i, text in enumerate(texts[::2])]
    return [(prompt, prompt + response) for prompt, response in zip(prompts, texts[1::2])]


def row(identity, pairs, bos, eos, limit):
    """pairs: ids of (prompt, prompt and response) of each turn."""
    ids, labels = list(bos), [IGNORE] * len(bos)
    for prompt, whole in pairs:
        if whole[: len(prompt)] != prompt:
            raise SystemExit(f"row {identity}: prompt and response merge at their border")
        response = whole[len(prompt) :] + [eos]
        ids += prompt + response
        labels += [IGNORE] * len(prompt) + response
    return {"id": identity, "input_ids": ids[:limit], "labels": labels[:limit]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--objective", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--max-length", type=int, default=2048)
    parser.add_argument("--batch", action="store_true")
    args = parser.parse_args()
    tokenizer = Tokenizer.from_file(os.path.join(args.model, "tokenizer.json"))
    tokenizer.encode_special_tokens = True  # "</s>" in a message is text
    bos = tokenizer.encode("").ids
    with open(os.path.join(args.model, "tokenizer_config.json"), encoding="utf-8") as file:
        eos = json.load(file)["eos_token"]
    eos = tokenizer.token_to_id(eos if isinstance(eos, str) else eos["content"])
    with open(args.data, encoding="utf-8") as file:
        examples = [json.loads(line) for line in file]
    dialogues = [turns(example, args.objective) for example in examples]
    texts = [text for dialogue in dialogues for pair in dialogue for text in pair]
    if args.batch:
        encodings = iter(tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    else:
        encodings = (tokenizer.encode(text, add_special_tokens=False) for text in texts)
    with open(args.out, "w", encoding="utf-8") as file:
        for example, dialogue in zip(examples, dialogues):
            pairs = [(next(encodings).ids, next(encodings).ids) for _ in dialogue]
            done = row(example["id"], pairs, bos, eos, args.max_length)
            if any(label != IGNORE for label in done["labels"]):
                file.write(json.dumps(done) + "\n")


main()
