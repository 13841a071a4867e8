"""All stages, in the order of their worth: right first, then fast, then compared, then optional."""

from functools import partial

from gpu_kit.correctness import merging, near_ties, parity
from gpu_kit.four_bit import four_bit
from gpu_kit.launches import launches
from gpu_kit.machine import machine
from gpu_kit.peers import scoring_peer, training_peer
from gpu_kit.runner import Stage
from gpu_kit.scoring_speed import scoring_speed
from gpu_kit.training_checks import trained_like_trainer
from gpu_kit.training_speed import training_speed

STAGES = (
    Stage(name="machine", run=machine, limit_s=30, least_s=5),
    Stage(name="parity qwen2.5-0.5b", run=partial(parity, "qwen2.5-0.5b"), limit_s=60),
    Stage(name="parity llama-3.2-1b", run=partial(parity, "llama-3.2-1b"), limit_s=60),
    Stage(name="parity gemma-3-1b", run=partial(parity, "gemma-3-1b"), limit_s=60),
    Stage(name="near-ties qwen2.5-0.5b", run=partial(near_ties, "qwen2.5-0.5b"), limit_s=45),
    Stage(name="merging llama-3.2-1b", run=partial(merging, "llama-3.2-1b"), limit_s=45),
    Stage(name="HF Trainer qwen2.5-0.5b", run=partial(trained_like_trainer, "qwen2.5-0.5b"), limit_s=75),
    Stage(name="scoring speed qwen2.5-0.5b", run=partial(scoring_speed, "qwen2.5-0.5b"), limit_s=100),
    Stage(name="training speed qwen2.5-0.5b", run=partial(training_speed, "qwen2.5-0.5b"), limit_s=90),
    Stage(name="scoring speed llama-3.2-1b", run=partial(scoring_speed, "llama-3.2-1b"), limit_s=100),
    Stage(name="training speed llama-3.2-1b", run=partial(training_speed, "llama-3.2-1b"), limit_s=90),
    Stage(name="scoring speed llama-3.1-8b", run=partial(scoring_speed, "llama-3.1-8b"), limit_s=120, least_s=40),
    Stage(name="training speed llama-3.1-8b", run=partial(training_speed, "llama-3.1-8b"), limit_s=90, least_s=30),
    Stage(name="scoring peer llama-3.2-1b", run=partial(scoring_peer, "llama-3.2-1b"), limit_s=90, least_s=30),
    Stage(name="training peer llama-3.2-1b", run=partial(training_peer, "llama-3.2-1b"), limit_s=60),
    Stage(name="scoring speed llama-3.2-3b", run=partial(scoring_speed, "llama-3.2-3b"), limit_s=100, least_s=30),
    Stage(name="training speed llama-3.2-3b", run=partial(training_speed, "llama-3.2-3b"), limit_s=90, least_s=30),
    Stage(name="near-ties llama-3.2-1b", run=partial(near_ties, "llama-3.2-1b"), limit_s=45),
    Stage(name="near-ties gemma-3-1b", run=partial(near_ties, "gemma-3-1b"), limit_s=45),
    Stage(name="HF Trainer gemma-3-1b", run=partial(trained_like_trainer, "gemma-3-1b"), limit_s=75),
    Stage(name="launches qwen2.5-0.5b", run=partial(launches, "qwen2.5-0.5b"), limit_s=40),
    Stage(name="4 bit qwen2.5-0.5b", run=partial(four_bit, "qwen2.5-0.5b"), limit_s=60),
)
