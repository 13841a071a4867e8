"""Models, adapters and check files that somebody made by other means."""

import json
import struct
from pathlib import Path
from typing import Any

from cases import Case
from damage import damaged, json_bytes, json_files, json_lines, scarred, sometimes_scarred, texts, values, yaml_files
from hypothesis import strategies as st
from world import PROMPTS, QUESTIONS, files_of

_CHECK = ("check", "llama", "adapter", "--guard", "questions.jsonl", "--items", "3")
_ADAPTER_KEYS: dict[str, Any] = {
    "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"q_proj": 3}, "modules_to_save": ["lm_head"],
    "layers_to_transform": [0],
    "layers_pattern": "layers", "use_rslora": True, "use_dora": True, "lora_bias": True, "bias": "all",
    "fan_in_fan_out": True,
    "init_lora_weights": "pissa", "trainable_token_indices": [1, 2], "exclude_modules": ["v_proj"],
    "target_parameters": ["x"],
    "megatron_config": {}, "loftq_config": {}, "eva_config": {"rho": 2.0}, "corda_config": {},
    "auto_mapping": {"base_model_class": "x"},
    "peft_type": "LOHA", "task_type": "SEQ_CLS", "revision": "x", "inference_mode": False, "layer_replication": [[0,
    1], [0, 1]],
    "qalora_group_size": 1, "alora_invocation_tokens": [1], "arrow_config": {},
    "runtime_config": {"ephemeral_gpu_offload": True},
}  # fmt: skip


def adapters(world: Path) -> st.SearchStrategy[Case]:
    """Adapter folders whose configuration, header or weights are damaged."""
    files = files_of(world, "adapter")
    config, weights = "adapter/adapter_config.json", "adapter/adapter_model.safetensors"
    sound = json.loads(files[config])
    documents = st.lists(st.sampled_from(sorted(_ADAPTER_KEYS)), max_size=2).map(
        lambda names: sound | {name: _ADAPTER_KEYS[name] for name in names}
    )
    changes = st.one_of(
        documents.flatmap(json_files).map(lambda content: {config: content}),
        documents.map(lambda document: {config: json_bytes(document)}),
        safetensors(files[weights]).map(lambda content: {weights: content}),
        scarred(files[weights]).map(lambda content: {weights: content}),
        st.sampled_from([b"", b"{}", b"x"]).map(lambda content: {"adapter/tokenizer_config.json": content}),
        _templates().map(lambda content: {"adapter/chat_template.jinja": content}),
    )
    missing = st.sampled_from([(), (), (), (), (config,), (weights,)])
    commands = st.sampled_from([_CHECK, _CHECK, (*_CHECK, "--chat-template")])
    return st.builds(
        lambda words, change, without: Case(
            words=words, files=change, without=tuple(name for name in without if name not in change),
            copied=("adapter", "questions.jsonl"), names=("adapter", "llama"),
        ),
        commands, changes, missing,
    )  # fmt: skip


@st.composite
def safetensors(draw: st.DrawFn, content: bytes) -> bytes:
    """A safetensors file whose header says something else than its data hold, or no header at all."""
    (length,) = struct.unpack("<Q", content[:8])
    header = draw(damaged(json.loads(content[8 : 8 + length])))
    text = draw(sometimes_scarred(json_bytes(header)))
    stated = draw(st.sampled_from([len(text), len(text), len(text), 0, 2**63, len(text) - 1, 10**12]))
    return struct.pack("<Q", max(0, stated)) + text + content[8 + length :]


def models(world: Path) -> st.SearchStrategy[Case]:
    """Folders of base models with damaged configurations, tokenizers and weights."""
    files = files_of(world, "model")
    weights = "model/model.safetensors"
    changes = st.one_of(
        *(json_files(json.loads(files[name])).map(lambda content, name=name: {name: content})
          for name in ("model/config.json", "model/config.json", "model/tokenizer_config.json",
          "model/generation_config.json")),
        scarred(files["model/tokenizer.json"]).map(lambda content: {"model/tokenizer.json": content}),
        damaged(json.loads(files["model/tokenizer.json"])).map(json_bytes).map(
            lambda content: {"model/tokenizer.json": content}
        ),
        safetensors(files[weights]).map(lambda content: {weights: content}),
        _templates().map(lambda content: {"model/chat_template.jinja": content}),
        json_files({"metadata": {"total_size": 1}, "weight_map": {"lm_head.weight": "model.safetensors"}}).map(
            lambda content: {"model/model.safetensors.index.json": content}
        ),
    )  # fmt: skip
    commands = st.sampled_from(
        [("models", "model"), ("models", "model"), ("check", "model", "adapter", "--guard", "questions.jsonl",
        "--items", "3"),
         ("check", "model", "adapter", "--guard", "questions.jsonl", "--items", "3", "--chat-template"),
         ("tasks", "show", "questions.jsonl", "--tokenizer", "model"), ("check", "llama", "model", "--guard",
         "questions.jsonl", "--items", "3")]
    )  # fmt: skip
    missing = st.sampled_from([(), (), (), (), ("model/config.json",), (weights,), ("model/tokenizer.json",)])
    return st.builds(
        lambda words, change, without: Case(
            words=words, files=change, without=tuple(name for name in without if name not in change),
            copied=("model", "adapter", "questions.jsonl"), names=("model",),
        ),
        commands, changes, missing,
    )  # fmt: skip


def _templates() -> st.SearchStrategy[bytes]:
    pieces = st.sampled_from(
        [
            "{% for m in messages %}",
            "{{ m.content }}",
            "{{ m['role'] }}",
            "{% endfor %}",
            "{{ raise_exception('x') }}",
            "{{ bos_token }}",
            "{% if add_generation_prompt %}",
            "{% endif %}",
            "{{ 1/0 }}",
            "{{ messages[5].x }}",
            "{{ 'a'*10**9 }}",
            "{{ ''.__class__ }}",
            "\xff",
            "{{",
        ]
    )
    return st.lists(pieces | texts, max_size=6).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))


_CHECK_FILE = {
    "base": "llama",
    "adapters": ["adapter"],
    "on": ["questions.jsonl:de"],
    "guard": [
        "colours.yaml:de",
        {"task": "questions.jsonl", "languages": ["en"], "columns": {"question": "question"}, "answers_from": 0},
    ],
    "limit": -1.0,
    "items": 3,
    "metric": "acc",
    "precision": "fp32",
    "chat_template": False,
    "chat_template_args": {"enable_thinking": False},
    "tokenizer": "llama",
    "max_new_tokens": 4,
    "device": "cpu",
    "cache": "kept",
    "report": "page.html",
    "allow_undecided": True,
}
_CHECK_DATA = ("adapter", "questions.jsonl", "colours.yaml", "colours-de-test.jsonl", "colours-de-train.jsonl",
"colours-en-test.jsonl",
               "colours-en-train.jsonl")  # fmt: skip


def check_files(world: Path) -> st.SearchStrategy[Case]:
    """Check files, and the data files of prompts and questions that they name."""
    del world
    names = ("c.yaml", "questions", "colours", "adapter", "llama", "p.jsonl")
    of_keys = yaml_files(_CHECK_FILE).map(
        lambda content: Case(
            words=("check", "--config", "c.yaml"), files={"c.yaml": content}, copied=_CHECK_DATA, names=names
        )
    )
    words = ("check", "llama", "adapter", "--guard", "p.jsonl", "--max-new-tokens", "4", "--report", "page.html")
    of_prompts = json_lines(PROMPTS).map(
        lambda content: Case(words=words, files={"p.jsonl": content}, copied=("adapter",), names=names)
    )
    of_questions = json_lines(QUESTIONS).map(
        lambda content: Case(words=words, files={"p.jsonl": content}, copied=("adapter",), names=names)
    )
    return st.one_of(of_keys, of_keys, of_prompts, of_questions)


_ = values
