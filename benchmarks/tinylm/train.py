"""Train one model from its specification and return everything worth recording."""

from __future__ import annotations

import math
import platform
import time
from dataclasses import asdict, dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .corpora import CHECKPOINT_STRIDE, CONTEXT, Corpus
from .models import INIT, Shape, count_parameters, flops_per_byte, losses

BATCH = 16
"""Sequences a step, for every run."""

CHUNK = 4
"""Steps between two returns to Python; checkpoints fall on its multiples."""

BLOCK = 256
"""Sequences scored at once; the checkpoint set is one block."""

SCHEDULE = "10% linear warmup, cosine to 0"
BETAS = (0.9, 0.95)
WEIGHT_DECAY = 0.01
CLIP = 1.0


@dataclass(frozen=True)
class Spec:
    """One run: what is trained, on which corpus, for how many steps, and why (``role``)."""

    role: str
    corpus: str
    shape: Shape
    steps: int
    learning_rate: float
    seed: int

    @property
    def data_bytes(self) -> int:
        """Bytes trained on, repeats included."""
        return self.steps * BATCH * CONTEXT

    @property
    def compute(self) -> int:
        """``6 N D`` with the non-embedding parameters."""
        return 6 * count_parameters(self.shape)[0] * self.data_bytes

    @property
    def name(self) -> str:
        """File stem that tells this run from every other."""
        shape = self.shape
        return (
            f"{self.role}-{self.corpus}-{shape.arch}-w{shape.width}-s{self.steps}"
            f"-lr{self.learning_rate:g}-r{self.seed}"
        )


def schedule(spec: Spec) -> np.ndarray:
    """Learning rate of every step."""
    step = np.arange(spec.steps) + 1
    warmup = max(1, spec.steps // 10)
    progress = np.clip((step - warmup) / (spec.steps - warmup), 0, 1)
    factor = np.where(step <= warmup, step / warmup, 0.5 * (1 + np.cos(np.pi * progress)))
    return (spec.learning_rate * factor).astype(np.float32)


def checkpoint_steps(steps: int) -> list[int]:
    """Steps, spaced evenly in their logarithm, after which a run is scored."""
    count = 16 if steps < 500 else 24
    spaced = np.geomspace(max(CHUNK, steps / 128), steps, count) / CHUNK
    return sorted({round(s) * CHUNK for s in spaced} - {0})


def order(corpus: Corpus, spec: Spec) -> np.ndarray:
    """Training sequences in the order in which this seed reads them."""
    needed = spec.steps * BATCH
    rng = np.random.default_rng(spec.seed)
    passes = math.ceil(needed / len(corpus.train))
    shuffled = np.concatenate([rng.permutation(len(corpus.train)) for _ in range(passes)])
    return shuffled[:needed].reshape(spec.steps, BATCH)


@cache
def compiled(shape: Shape) -> tuple:
    """Initialise, train a chunk and score a block, compiled once for each shape."""
    _, unravel = ravel_pytree(INIT[shape.arch](jax.random.key(0), shape))

    def init(key: jax.Array) -> jax.Array:
        return ravel_pytree(INIT[shape.arch](key, shape))[0]

    def objective(theta: jax.Array, batch: jax.Array) -> jax.Array:
        return losses(unravel(theta), batch, shape).mean()

    def step(state: tuple, inputs: tuple) -> tuple:
        theta, first, second, count = state
        batch, rate = inputs
        loss, gradient = jax.value_and_grad(objective)(theta, batch)
        gradient *= jnp.minimum(1.0, CLIP / (jnp.linalg.norm(gradient) + 1e-12))
        count += 1
        first = BETAS[0] * first + (1 - BETAS[0]) * gradient
        second = BETAS[1] * second + (1 - BETAS[1]) * gradient**2
        scale = jnp.sqrt(second / (1 - BETAS[1] ** count)) + 1e-8
        change = first / (1 - BETAS[0] ** count) / scale + WEIGHT_DECAY * theta
        return (theta - rate * change, first, second, count), loss

    def chunk(state: tuple, batches: jax.Array, rates: jax.Array) -> tuple:
        return jax.lax.scan(step, state, (batches, rates))

    def score(theta: jax.Array, block: jax.Array) -> jax.Array:
        return losses(unravel(theta), block, shape)

    theta = jax.eval_shape(init, jax.random.key(0))
    count = jax.ShapeDtypeStruct((), jnp.float32)
    batches = jax.ShapeDtypeStruct((CHUNK, BATCH, CONTEXT), jnp.uint8)
    rates = jax.ShapeDtypeStruct((CHUNK,), jnp.float32)
    block = jax.ShapeDtypeStruct((BLOCK, CONTEXT), jnp.uint8)
    return (
        jax.jit(init),
        jax.jit(chunk, donate_argnums=0)
        .lower((theta, theta, theta, count), batches, rates)
        .compile(),
        jax.jit(score).lower(theta, block).compile(),
    )


def evaluate(score, theta: jax.Array, sequences: np.ndarray) -> tuple[float, float]:
    """Mean loss over sequences and its standard error, in nats per byte."""
    blocks = np.split(sequences, len(sequences) // BLOCK)
    each = np.concatenate([np.asarray(score(theta, block), np.float64) for block in blocks])
    return float(each.mean()), float(each.std(ddof=1) / len(each) ** 0.5)


def train(spec: Spec, corpus: Corpus) -> dict:
    """Train to the end of the schedule.

    A learning-rate sweep run is scored once, on the checkpoint set; others on the full set.

    Returns
    -------
    dict
        One JSON-ready record: the specification, sizes, FLOPs, final validation loss, clock
        times in seconds (compilation apart), versions, and the list ``checkpoints``.
    """
    started = time.perf_counter()
    init, chunk, score = compiled(spec.shape)
    theta = init(jax.random.key(spec.seed))
    state = (theta, jnp.zeros_like(theta), jnp.zeros_like(theta), jnp.float32(0))
    compile_seconds = time.perf_counter() - started

    rates, rows = schedule(spec), order(corpus, spec)
    sweep = spec.role == "sweep"
    stops = [spec.steps] if sweep else checkpoint_steps(spec.steps)
    checkpoints, train_seconds, done, recent = [], 0.0, 0, []
    for stop in stops:
        started = time.perf_counter()
        for start in range(done, stop, CHUNK):
            now = slice(start, start + CHUNK)
            state, chunk_losses = chunk(state, corpus.train[rows[now]], rates[now])
            recent.append(chunk_losses)
        train_loss = float(np.mean(recent))
        train_seconds += time.perf_counter() - started
        loss, error = evaluate(score, state[0], corpus.valid[::CHECKPOINT_STRIDE])
        checkpoints.append(
            {
                "step": stop,
                "bytes": stop * BATCH * CONTEXT,
                "learning_rate_now": float(rates[stop - 1]),
                "train_loss": train_loss,
                "val_loss": loss,
                "val_loss_se": error,
            }
        )
        done, recent = stop, []

    started = time.perf_counter()
    loss, error = evaluate(score, state[0], corpus.valid[:: CHECKPOINT_STRIDE if sweep else 1])
    eval_seconds = time.perf_counter() - started
    params, params_total = count_parameters(spec.shape)
    return {
        "run": spec.name,
        "role": spec.role,
        "corpus": spec.corpus,
        **asdict(spec.shape),
        "params": params,
        "params_total": params_total,
        "bytes": spec.data_bytes,
        "epochs": spec.data_bytes / corpus.train.size,
        "flops_6nd": spec.compute,
        "flops_counted": flops_per_byte(spec.shape) * spec.data_bytes,
        "steps": spec.steps,
        "batch_sequences": BATCH,
        "context": CONTEXT,
        "learning_rate": spec.learning_rate,
        "schedule": SCHEDULE,
        "seed": spec.seed,
        "val_loss": loss,
        "val_loss_se": error,
        "train_seconds": train_seconds,
        "eval_seconds": eval_seconds,
        "compile_seconds": compile_seconds,
        "corpus_source": corpus.source,
        "corpus_sha256": corpus.sha256,
        "python": platform.python_version(),
        "jax": jax.__version__,
        "numpy": np.__version__,
        "checkpoints": checkpoints,
    }
