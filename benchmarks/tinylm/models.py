"""Three next-byte predictors that differ in kind, as pairs of pure functions.

Each architecture has ``init(key, shape) -> params`` and ``apply(params, tokens, shape) ->
logits``.  Parameters named in `EMBEDDINGS` are the input and output tables; all others count
as non-embedding parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from .corpora import CONTEXT

VOCABULARY = 128
WINDOW = 16
EMBEDDINGS = ("bytes", "positions", "head", "head_bias")


@dataclass(frozen=True)
class Shape:
    """Architecture and its sizes (``embed`` is used by the MLP, ``depth`` by the Transformer)."""

    arch: str
    width: int
    depth: int = 1
    embed: int = 0


def _dense(key: jax.Array, rows: int, *columns: int) -> jax.Array:
    return jax.random.normal(key, (rows, *columns)) / rows**0.5


def _tables(key: jax.Array, embed: int, width: int) -> dict[str, jax.Array]:
    return {
        "bytes": jax.random.normal(key, (VOCABULARY, embed)),
        "head": jnp.zeros((width, VOCABULARY)),
        "head_bias": jnp.zeros(VOCABULARY),
    }


def _rms_norm(x: jax.Array) -> jax.Array:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def init_mlp(key: jax.Array, shape: Shape) -> dict[str, jax.Array]:
    """Two hidden layers over the last `WINDOW` bytes."""
    keys = jax.random.split(key, 3)
    return _tables(keys[0], shape.embed, shape.width) | {
        "first": _dense(keys[1], WINDOW * shape.embed, shape.width),
        "first_bias": jnp.zeros(shape.width),
        "second": _dense(keys[2], shape.width, shape.width),
        "second_bias": jnp.zeros(shape.width),
    }


def apply_mlp(params: dict[str, jax.Array], tokens: jax.Array, shape: Shape) -> jax.Array:
    """Hidden state of the MLP at every position; earlier than the start it sees byte 0."""
    padded = jnp.pad(tokens, ((0, 0), (WINDOW - 1, 0)))
    seen = params["bytes"][padded]
    window = jnp.concatenate([seen[:, i : i + CONTEXT] for i in range(WINDOW)], axis=-1)
    hidden = jax.nn.relu(window @ params["first"] + params["first_bias"])
    return hidden + jax.nn.relu(_rms_norm(hidden) @ params["second"] + params["second_bias"])


def init_gru(key: jax.Array, shape: Shape) -> dict[str, jax.Array]:
    """One gated recurrent layer as wide as its embedding."""
    keys = jax.random.split(key, 3)
    return _tables(keys[0], shape.width, shape.width) | {
        "inputs": _dense(keys[1], shape.width, 3 * shape.width),
        "state": _dense(keys[2], shape.width, 3 * shape.width),
        "bias": jnp.zeros(3 * shape.width),
    }


def apply_gru(params: dict[str, jax.Array], tokens: jax.Array, shape: Shape) -> jax.Array:
    """Recurrent state at every position, from a zero state at the start of each sequence."""

    def step(state: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        x_gates, x_new = jnp.split(inputs, [2 * shape.width], axis=-1)
        h_gates, h_new = jnp.split(state @ params["state"], [2 * shape.width], axis=-1)
        reset, keep = jnp.split(jax.nn.sigmoid(x_gates + h_gates), 2, axis=-1)
        state = keep * state + (1 - keep) * jnp.tanh(x_new + reset * h_new)
        return state, state

    inputs = params["bytes"][tokens] @ params["inputs"] + params["bias"]
    start = jnp.zeros((tokens.shape[0], shape.width))
    _, states = jax.lax.scan(step, start, inputs.swapaxes(0, 1))
    return states.swapaxes(0, 1)


def init_transformer(key: jax.Array, shape: Shape) -> dict[str, jax.Array]:
    """Decoder-only pre-norm Transformer without biases: ``12 width**2`` weights a block."""
    width, depth = shape.width, shape.depth
    keys = jax.random.split(key, 6)
    shrink = (2 * depth) ** -0.5
    return _tables(keys[0], width, width) | {
        "positions": 0.1 * jax.random.normal(keys[1], (CONTEXT, width)),
        "qkv": _stack(keys[2], depth, width, 3 * width),
        "mix": _stack(keys[3], depth, width, width) * shrink,
        "up": _stack(keys[4], depth, width, 4 * width),
        "down": _stack(keys[5], depth, 4 * width, width) * shrink,
    }


def _stack(key: jax.Array, depth: int, rows: int, columns: int) -> jax.Array:
    return jax.vmap(lambda k: _dense(k, rows, columns))(jax.random.split(key, depth))


def apply_transformer(params: dict[str, jax.Array], tokens: jax.Array, shape: Shape) -> jax.Array:
    """Residual stream after the last block, normalised."""
    heads = _heads(shape.width)
    causal = jnp.tril(jnp.ones((CONTEXT, CONTEXT), bool))
    x = params["bytes"][tokens] + params["positions"]
    for layer in range(shape.depth):
        qkv = _rms_norm(x) @ params["qkv"][layer]
        q, k, v = (part.reshape(*x.shape[:2], heads, -1) for part in jnp.split(qkv, 3, axis=-1))
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * (heads / shape.width) ** 0.5
        weights = jax.nn.softmax(jnp.where(causal, scores, -1e9), axis=-1)
        x = x + jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(x.shape) @ params["mix"][layer]
        x = x + jax.nn.relu(_rms_norm(x) @ params["up"][layer]) @ params["down"][layer]
    return _rms_norm(x)


def _heads(width: int) -> int:
    return 2 if width < 24 else 4


INIT: dict[str, Callable] = {
    "mlp": init_mlp,
    "gru": init_gru,
    "transformer": init_transformer,
}
APPLY: dict[str, Callable] = {
    "mlp": apply_mlp,
    "gru": apply_gru,
    "transformer": apply_transformer,
}


def losses(params: dict[str, jax.Array], sequences: jax.Array, shape: Shape) -> jax.Array:
    """Mean loss of each sequence, in nats per byte; byte 0 stands before the first one."""
    targets = sequences.astype(jnp.int32)
    tokens = jnp.pad(targets[:, :-1], ((0, 0), (1, 0)))
    hidden = APPLY[shape.arch](params, tokens, shape)
    logits = hidden @ params["head"] + params["head_bias"]
    right = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return jnp.mean(jax.nn.logsumexp(logits, axis=-1) - right, axis=-1)


def count_parameters(shape: Shape) -> tuple[int, int]:
    """Parameters without and with the embedding tables."""
    params = jax.eval_shape(lambda key: INIT[shape.arch](key, shape), jax.random.key(0))
    total = sum(leaf.size for leaf in params.values())
    return total - sum(params[name].size for name in EMBEDDINGS if name in params), total


def flops_per_byte(shape: Shape) -> int:
    """Counted matrix-product FLOPs of training on one byte (three times a forward pass)."""
    params = jax.eval_shape(lambda key: INIT[shape.arch](key, shape), jax.random.key(0))
    tables = ("bytes", "positions")
    weights = sum(p.size for name, p in params.items() if name not in tables and p.ndim > 1)
    attended = 2 * CONTEXT * shape.width * shape.depth if shape.arch == "transformer" else 0
    return 6 * (weights + attended)
