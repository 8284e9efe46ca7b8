"""A transformer learns to write about Python, under three rules for its learning rate.

It reads characters of the English text of Python's own help, `pydoc_data.topics`, and is validated
on topics that it does not train on. A cosine and a warm-up-stable-decay schedule are told how long
to train. The third rule is not: `cooldown_on` holds the rate until the validation loss has
stalled, and then takes it to 0. Expect it to end about where the cosine does, in fewer steps.

Prints a table, and characters that the network writes; draws rates and losses. Some two minutes:

    python examples/char_lm.py [--steps 1200] [--output PICTURE.png]
"""

import argparse
import functools
import hashlib
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from matplotlib.figure import Figure
from pictures import save

import jaxsched
import jaxsched.flax

CONTEXT, WIDTH, HEADS, LAYERS, PIECES = 64, 64, 4, 2, 128
BATCH_SIZE, EVERY, PEAK, STEPS, WARMUP, COOLDOWN = 16, 25, 5e-3, 1200, 60, 300
COLORS = {"cosine": "tab:orange", "warm-up, stable, decay": "tab:green", "plateau": "tab:blue"}


def load_text() -> tuple[str, jax.Array, jax.Array]:
    """The characters there are, and the text for training and for validation as their numbers."""
    parts = {False: "", True: ""}
    for topic, text in sorted(topics.items()):
        held_out = hashlib.sha256(topic.encode()).digest()[0] < 32  # an eighth of the topics
        parts[held_out] += text
    codes = np.frombuffer("".join(parts.values()).encode("utf-32-le"), np.uint32)
    characters, numbers = np.unique(codes, return_inverse=True)
    train, validation = jnp.split(jnp.asarray(numbers, jnp.int32), [len(parts[False])])
    return "".join(map(chr, characters)), train, validation


class Block(nnx.Module):
    """Attention to what came before, and a layer of 4 times the width."""

    def __init__(self, rngs: nnx.Rngs):
        self.norm1, self.norm2 = (nnx.LayerNorm(WIDTH, rngs=rngs) for _ in range(2))
        self.attention = nnx.MultiHeadAttention(HEADS, WIDTH, decode=False, rngs=rngs)
        self.up = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs)
        self.down = nnx.Linear(4 * WIDTH, WIDTH, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """From and to a vector for each character."""
        x = x + self.attention(self.norm1(x), mask=nnx.make_causal_mask(x[..., 0]))
        return x + self.down(nnx.gelu(self.up(self.norm2(x))))


class Transformer(nnx.Module):
    """Predicts each character from those before it."""

    def __init__(self, size: int, rngs: nnx.Rngs):
        self.characters = nnx.Embed(size, WIDTH, rngs=rngs)
        self.places = nnx.Embed(CONTEXT, WIDTH, rngs=rngs)
        self.blocks = nnx.Sequential(*[Block(rngs) for _ in range(LAYERS)])
        self.norm, self.output = nnx.LayerNorm(WIDTH, rngs=rngs), nnx.Linear(WIDTH, size, rngs=rngs)

    def __call__(self, text: jax.Array) -> jax.Array:
        """The logits of the next character at each place."""
        x = self.characters(text) + self.places(jnp.arange(text.shape[-1]))
        return self.output(self.norm(self.blocks(x)))


@functools.partial(jax.jit, static_argnums=0)
def create(size: int) -> Transformer:
    """A transformer for so many different characters, always the same one."""
    return Transformer(size, nnx.Rngs(0))


def cross_entropy(model: Transformer, pieces: jax.Array) -> jax.Array:
    """The mean loss in bits a character."""
    logits, following = model(pieces[:, :-1]), pieces[:, 1:]
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, following)
    return losses.mean() / jnp.log(2)


def cut(text: jax.Array, begins: jax.Array) -> jax.Array:
    """Pieces of the text, of one character more than the context."""
    return text[begins[..., None] + jnp.arange(CONTEXT + 1)]


def make_optimizers(steps: int) -> dict[str, optax.GradientTransformation]:
    """Adam under each rule; the last one knows nothing of `steps`."""
    scale, constant = jaxsched.scale_by_learning_rate, jaxsched.with_warmup(PEAK, WARMUP)
    cosine = jaxsched.warmup_cosine_decay_schedule(0.0, PEAK, WARMUP, steps)
    stable = jaxsched.with_cooldown(constant, steps - COOLDOWN, COOLDOWN)
    rule = jaxsched.plateau(patience=3, rtol=0.03)
    rates = cosine, stable, jaxsched.cooldown_on(rule, constant, COOLDOWN)
    pairs = zip(COLORS, rates, strict=True)
    return {name: optax.chain(optax.scale_by_adam(), scale(rate)) for name, rate in pairs}


def make_trainer(text: jax.Array, pieces: jax.Array, hears: bool) -> Any:
    """A function that trains for some steps and then validates, which the optimizer may hear."""

    def step(state: Any, begins: jax.Array) -> tuple[Any, jax.Array]:
        model, optimizer = state
        grads = nnx.grad(cross_entropy)(model, cut(text, begins))
        optimizer.update(model, grads)
        return state, jaxsched.learning_rate(optimizer.opt_state)[...]

    @jax.jit
    def train(state: Any, begins: jax.Array) -> tuple[Any, jax.Array, jax.Array]:
        (model, optimizer), rates = jax.lax.scan(step, state, begins)
        loss = cross_entropy(model, pieces)
        if hears:
            jaxsched.flax.observe(optimizer, value=loss)  # heard by the next step
        return (model, optimizer), rates, loss

    return train


def run(train: Any, state: Any, begins: jax.Array) -> tuple[Any, np.ndarray, np.ndarray]:
    """Trains until the steps or the rate have come to an end."""
    rates, losses = [], []
    for some in begins.reshape(-1, EVERY, BATCH_SIZE):
        state, new, loss = train(state, some)
        rates.append(np.asarray(new))
        losses.append(float(loss))
        if rates[-1][-1] == 0:
            break
    return state, np.concatenate(rates), np.array(losses)


@functools.partial(jax.jit, static_argnums=2)
def write(model: Transformer, prompt: jax.Array, size: int) -> jax.Array:
    """So many characters after a prompt as long as the context."""

    def one(context: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        chosen = jax.random.categorical(key, 1.5 * model(context[None])[0, -1])
        return jnp.append(context[1:], chosen), chosen

    return jax.lax.scan(one, prompt, jax.random.split(jax.random.key(0), size))[1]


def draw(results: dict[str, tuple[np.ndarray, np.ndarray]], event: int) -> Figure:
    """The rates above the validation losses, and where the cooldown began."""
    figure = Figure(figsize=(9, 6.5), layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=(2, 3))
    for name, (rates, losses) in results.items():
        upper.plot(rates, color=COLORS[name], label=name)
        at = EVERY * np.arange(1, len(losses) + 1)
        lower.plot(at, losses, color=COLORS[name], label=f"{name}: {losses[-1]:.3f}")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        axes.legend()
        if event >= 0:
            axes.axvline(event, color="black", linestyle="--", linewidth=1)
            axes.annotate(" stalled", (event, 0.05), xycoords=("data", "axes fraction"))
    upper.set(ylabel="learning rate", title="A cooldown set off by the validation loss")
    lower.set(xlabel="step", ylabel="validation loss, bits a character")
    return figure


def main(argv: list[str] | None = None) -> None:
    """Trains under each rule, prints, and writes the picture."""
    parser = argparse.ArgumentParser(description="Train a transformer under three rules.")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps at most, for each rule")
    parser.add_argument("--output", type=Path, default="char_lm.png", help="the PNG to write")
    args = parser.parse_args(argv)
    if args.steps < WARMUP + COOLDOWN:
        parser.error(f"--steps must be at least {WARMUP + COOLDOWN}, got {args.steps}")
    characters, text, held_out = load_text()
    random, last = np.random.default_rng(0), len(text) - CONTEXT
    begins = random.integers(last, size=(args.steps // EVERY * EVERY, BATCH_SIZE))
    pieces = cut(held_out, np.linspace(0, len(held_out) - CONTEXT - 1, PIECES).astype(int))
    results = {}
    print(f"{'':24}{'steps':>6}{'validation loss, bits a character':>36}")
    for name, transform in make_optimizers(args.steps).items():
        model = create(len(characters))
        optimizer = nnx.Optimizer(model, transform, wrt=nnx.Param)
        train = make_trainer(text, pieces, hears=name == "plateau")
        (model, optimizer), rates, losses = run(train, (model, optimizer), begins)
        results[name] = rates, losses
        print(f"{name:24}{len(rates):6}{losses[-1]:36.3f}")
    event = int(jaxsched.record(optimizer.opt_state)["last_event"])
    stalled = (
        f"had stalled at step {event}, where the cooldown began" if event >= 0 else "never stalled"
    )
    print(f"The validation loss {stalled}.\n")
    written = write(model, pieces[PIECES // 2, :CONTEXT], 240)
    print("".join(characters[i] for i in written))
    save(draw(results, event), args.output)


if __name__ == "__main__":
    main()
