"""Any state of a table under any rule of it: it goes on, is refused by name, or is carried over."""

import functools
import warnings
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxsched as js

PARAMS = {"w": jnp.ones((2, 3)), "b": jnp.ones(3)}
LINE = js.linear_schedule(1.0, 0.0, 64)
BEFORE, AFTER = 12, 50


@dataclass
class Plateau:
    """`plateau(patience)` in plain Python."""

    patience: int
    best: float = np.inf
    bad: int = 0

    def fires(self, loss: float) -> bool:
        improved = loss < self.best - 1e-4 * abs(self.best) if np.isfinite(self.best) else True
        self.best, self.bad = (loss, 0) if improved else (self.best, self.bad + 1)
        fired = self.bad >= self.patience
        self.bad = 0 if fired else self.bad
        return fired

    def anew(self) -> None:
        self.best, self.bad = np.inf, 0


@dataclass
class Every:
    """`every(steps)` in plain Python."""

    steps: int
    seen: int = 0

    def fires(self, _: float) -> bool:
        fired = self.seen > 0 and self.seen % self.steps == 0
        self.seen += 1
        return fired

    def anew(self) -> None:
        pass


@dataclass
class Run:
    """A rate in plain Python: the line at a count, times a scale."""

    rule: str
    monitor: Any = None
    count: int = 0
    events: int = 0
    scale: float = 1.0
    monitors: dict[str, Any] = field(default_factory=dict)

    def rate(self, loss: float) -> float:
        if self.monitor and self.monitor.fires(loss):
            self.events += 1
            self.scale = 0.5**self.events if self.rule == "reduce" else 1.0
            if self.rule == "restart":
                self.count = 0
                self.monitor.anew()
        self.count += 1
        line = 1 - min(self.count - 1, 64) / 64
        return 0.25 if self.rule == "number" else line * self.scale


def adam(rate: Any) -> Any:
    return optax.chain(optax.scale_by_adam(), js.scale_by_learning_rate(rate))


def reduce_on(monitor: Any) -> Any:
    return js.reduce_on(monitor, LINE, factor=0.5)


def injected(rate: Any) -> Any:
    return optax.inject_hyperparams(optax.adam)(learning_rate=rate)


FIVE, TWO, FOUR = js.plateau(patience=5), js.plateau(patience=2), js.every(4)
TABLE = {
    "a number": (lambda: adam(0.25), "number", None),
    "a schedule": (lambda: adam(LINE), "line", None),
    "Optax's adam": (lambda: optax.adam(LINE), "line", None),
    "a longer chain": (lambda: optax.chain(optax.clip(1.0), adam(LINE)), "line", None),
    "reduce_on, 5": (lambda: adam(reduce_on(FIVE)), "reduce", lambda: Plateau(5)),
    "reduce_on, 2": (lambda: adam(reduce_on(TWO)), "reduce", lambda: Plateau(2)),
    "reduce_on, every": (lambda: adam(reduce_on(FOUR)), "reduce", lambda: Every(4)),
    "restart_on, 5": (lambda: adam(js.restart_on(FIVE, LINE)), "restart", lambda: Plateau(5)),
    "restart_on, every": (lambda: adam(js.restart_on(FOUR, LINE)), "restart", lambda: Every(4)),
    "injected": (lambda: injected(reduce_on(FIVE)), "reduce", lambda: Plateau(5)),
    "injected, every": (lambda: injected(reduce_on(FOUR)), "reduce", lambda: Every(4)),
    "clipped": (
        lambda: optax.chain(optax.clip(1.0), adam(reduce_on(TWO))),
        "reduce",
        lambda: Plateau(2),
    ),
}


@functools.cache
def running(name: str) -> tuple[Any, Any]:
    """A transformation, and its rates over any losses as one program."""
    optimizer = optax.with_extra_args_support(TABLE[name][0]())

    @jax.jit
    def run(state: Any, losses: jax.Array) -> Any:
        def step(state: Any, loss: jax.Array) -> Any:
            _, state = optimizer.update(PARAMS, state, PARAMS, value=loss)
            schedule = LINE if name == "Optax's adam" else None
            return state, js.learning_rate(state, schedule=schedule)

        return jax.lax.scan(step, state, losses)

    return optimizer, run


def reference(name: str) -> Run:
    _, rule, monitor = TABLE[name]
    return Run(rule, monitor and monitor())


def carried(old: Run, new: Run) -> Run:
    """What `carry_over` promises: the count, and with two controllers events and scale."""
    new.count = old.count
    if old.monitor and new.monitor:
        new.events, new.scale = old.events, old.scale
        if type(old.monitor) is type(new.monitor):
            new.monitor.__dict__.update({**old.monitor.__dict__, **limit(new.monitor)})
    return new


def limit(monitor: Any) -> dict[str, int]:
    return {
        name: getattr(monitor, name) for name in ("patience", "steps") if hasattr(monitor, name)
    }


names = st.sampled_from(list(TABLE))


@settings(max_examples=150, deadline=None)
@given(old=names, new=names, seed=st.integers(0, 10**6))
def test_a_carried_state_goes_on_as_in_plain_python(old: str, new: str, seed: int):
    losses = np.random.default_rng(seed).choice([1.0, 2.0, 3.0, 4.0], BEFORE + AFTER)
    losses = (losses * 0.99 ** np.arange(losses.size)).astype(np.float32)
    before, after = losses[:BEFORE], losses[BEFORE:]
    (optimizer, run), plain = running(old), reference(old)
    state, rates = run(optimizer.init(PARAMS), before)
    np.testing.assert_allclose(rates, [plain.rate(loss) for loss in before], rtol=1e-6)
    optimizer, run = running(new)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        state = js.carry_over(state, optimizer.init(PARAMS))
    plain = carried(plain, reference(new))
    _, rates = run(state, after)
    np.testing.assert_allclose(rates, [plain.rate(loss) for loss in after], rtol=1e-6)


CHAINS = ["reduce_on, 5", "reduce_on, 2", "reduce_on, every", "restart_on, 5", "restart_on, every"]


@pytest.mark.parametrize("old", CHAINS)
@pytest.mark.parametrize("new", CHAINS)
def test_a_state_goes_on_under_its_monitor_and_is_refused_under_another(old: str, new: str):
    (optimizer, run), (another, _) = running(old), running(new)
    state, _ = run(optimizer.init(PARAMS), np.ones(BEFORE, np.float32))
    kinds = [type(reference(name).monitor) for name in (old, new)]
    if kinds[0] is kinds[1]:
        _, state = another.update(PARAMS, state, PARAMS, value=1.0)
        assert js.record(state)["updates"] == BEFORE + 1
        return
    with pytest.raises(
        ValueError, match=r"of `(plateau|every)` .* of `(plateau|every)`.*carry_over"
    ):
        another.update(PARAMS, state, PARAMS, value=1.0)
