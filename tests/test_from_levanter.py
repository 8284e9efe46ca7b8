"""Levanter's rates, against its rules in float64."""

import dataclasses
import math
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import jax
import numpy as np
import pytest

import jaxsched as js
from jaxsched.interop.levanter.exporter import levanter_class

LR, N = 0.3, 200
Curve = Callable[[int], float]


def part(value: float, whole: int) -> int:
    """What is up to 1 is a part."""
    return int(value * whole) if value <= 1.0 else int(value)


def decay(kind: str, given: dict[str, Any], warmup: int, steps: int, floor: float) -> Curve:
    """A decay by its own steps."""

    def cosine(t: int) -> float:
        share = (0.5 * (1 + math.cos(math.pi * min(t, steps) / steps))) ** given.get("exponent", 1)
        return LR * ((1 - floor / LR) * share + floor / LR)

    def polynomial(t: int) -> float:
        power = given.get("power", 2.0) if kind == "polynomial" else 1.0
        return (LR - floor) * (1 - min(t, steps) / steps) ** power + floor

    def inv_sqrt(t: int) -> float:
        factor = math.sqrt(given.get("timescale", 10000) / max(t + warmup, 1))
        return max(LR * min(1.0, factor), floor)

    def inv(t: int) -> float:
        return max(LR * min(1.0, 1 / ((LR / floor - 1) * max(t, 1) / steps + 1)), floor)

    def inv_sqrt_decay(t: int) -> float:
        return max(floor, LR / math.sqrt(1 + given.get("decay_constant", 28.6) * t / steps))

    def power(t: int) -> float:
        tokens = t * given["batch_size"] * given["seq_length"]
        if tokens == 0:
            return LR
        return min(LR, given["batch_size"] * given.get("a", 4.6) * tokens ** given.get("b", -0.51))

    curves: dict[str, Curve] = {
        "constant": lambda _: LR,
        "cosine": cosine,
        "linear": polynomial,
        "polynomial": polynomial,
        "inv_sqrt": inv_sqrt,
        "inv": inv,
        "inv_sqrt_decay": inv_sqrt_decay,
        "power": power,
    }
    return curves[kind]


def ends_of(config: dict[str, Any], steps: int) -> list[int]:
    cycles, length = config.get("cycles", config.get("haps")), config.get("cycle_length")
    if isinstance(length, list):
        ends = np.cumsum(length).tolist()
    elif length is not None:
        each = part(length, steps)
        ends = [i * each for i in range(1, steps // each)]
    elif isinstance(cycles, int):
        ends = [int(steps / cycles * (i + 1)) for i in range(cycles - 1)]
    else:
        ends = list(cycles or [])
    return ends if ends and ends[-1] == steps else [*ends, steps]


def wanted(config: dict[str, Any], count: int) -> list[float]:
    """The rates, by joining pieces as they come."""
    given = config.get("lr_schedule", "cosine")
    given = {"type": given} if isinstance(given, str) else given
    floor = LR * config.get("min_lr_ratio", 0.1)
    cooldown = part(config.get("cooldown", 0.0), N)
    pieces: list[tuple[int, Curve]] = []
    begin, reached = 0, 0.0
    for i, end in enumerate(ends_of(config, N - cooldown)):
        whole = end - begin
        warmup = min(
            part(config.get("rewarmup", 0.0) if i else config.get("warmup", 0.01), whole), whole
        )
        falling = whole - warmup
        if config.get("decay") is not None:
            falling = min(part(config["decay"], whole), falling)
        pieces.append((begin, lambda t, a=reached, w=warmup: a + (LR - a) * min(t, w) / max(w, 1)))
        pieces.append((begin + warmup, lambda _: LR))
        curve: Curve = lambda _: LR  # noqa: E731
        if falling:
            curve = decay(given["type"], given, warmup, falling, floor)
        pieces.append((end - falling, curve))
        begin, reached = end, curve(falling)
    if cooldown:
        line = lambda t: reached + (floor - reached) * min(t, cooldown) / cooldown  # noqa: E731
        pieces.append((begin, line))
    last = [[piece for piece in pieces if piece[0] <= step][-1] for step in range(count)]
    return [curve(step - first) for step, (first, curve) in enumerate(last)]


KINDS: dict[str, Any] = {
    "constant": "constant",
    "cosine": "cosine",
    "linear": "linear",
    "inv_sqrt": "inv_sqrt",
    "inv": "inv",
    "cosine squared": {"type": "cosine", "exponent": 2.0},
    "inv_sqrt soon": {"type": "inv_sqrt", "timescale": 20},
    "inv_sqrt at once": {"type": "inv_sqrt", "timescale": 0.3},
    "polynomial": {"type": "polynomial"},
    "root": {"type": "polynomial", "power": 0.5},
    "inv_sqrt_decay": {"type": "inv_sqrt_decay"},
    "inv_sqrt_decay slow": {"type": "inv_sqrt_decay", "decay_constant": 1.5},
    "power": {"type": "power", "batch_size": 8, "seq_length": 128},
    "power low": {"type": "power", "batch_size": 1, "seq_length": 2, "a": 0.1, "b": -0.9},
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "no warm-up": {"warmup": 0},
    "steps": {"warmup": 20, "decay": 50},
    "parts": {"warmup": 0.29, "decay": 0.3},
    "all warm-up": {"warmup": 1.0},
    "too long": {"warmup": 150, "decay": 100},
    "no decay": {"decay": 0},
    "three cycles": {"cycles": 3, "rewarmup": 0.1, "decay": 0.5},
    "cycles by ends": {"cycles": [30, 100], "rewarmup": 7},
    "ends at the end": {"cycles": [50, N]},
    "haps": {"haps": [60, 120], "rewarmup": 0.2},
    "cycles by length": {"cycle_length": 60, "rewarmup": 0.05, "warmup": 5},
    "lengths by part": {"cycle_length": 0.25},
    "a list of lengths": {"cycle_length": [10, 20, 100], "warmup": 0.5, "rewarmup": 0.5},
    "a cooldown": {"cooldown": 0.2, "decay": 0.5, "cycles": 2},
    "a length of one": {"warmup": 1, "cycle_length": 1},
    "no floor": {"min_lr_ratio": 0.0, "cycles": 2, "rewarmup": 0.1},
    "a raised floor": {"min_lr_ratio": 0.9},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_same_rate_at_every_step(layout: str):
    for kind, given in KINDS.items():
        if kind == "inv" and layout == "no floor":
            continue
        config = {"learning_rate": LR, "lr_schedule": given, **LAYOUTS[layout]}
        found = jax.jit(js.from_levanter(config, N))(np.arange(N + 50))
        rates = wanted(config, N + 50)
        np.testing.assert_allclose(found, rates, rtol=3e-6, atol=5e-8, err_msg=kind)


def test_objects_and_the_configuration_of_a_training():
    shape = type("PolynomialLrSchedule", (), {"power": 3.0})()
    optimizer = SimpleNamespace(learning_rate=LR, lr_schedule=shape, cycles=2)
    named = {"learning_rate": LR, "lr_schedule": {"type": "polynomial", "power": 3.0}, "cycles": 2}
    whole = {"optimizer": named, "trainer": {"num_train_steps": N, "train_batch_size": 8}}
    rates = wanted(named, N)
    for rate in (
        js.from_levanter(optimizer, N),
        js.from_levanter(whole),
        js.from_levanter(SimpleNamespace(optimizer=optimizer, trainer=None), N),
    ):
        np.testing.assert_allclose(rate(np.arange(N)), rates, rtol=3e-6)


def test_power_goes_on_beyond_an_int32_of_tokens():
    given = {"type": "power", "batch_size": 4096, "seq_length": 8192}
    config = {"learning_rate": 1.0, "lr_schedule": given, "warmup": 0}
    found = js.from_levanter(config, 10**6)(999_999)
    assert float(found) == pytest.approx(4096 * 4.6 * (999_999 * 4096 * 8192) ** -0.51, rel=3e-6)


def test_what_is_meant():
    def both(**config: Any) -> tuple[np.ndarray, np.ndarray]:
        given = {"learning_rate": LR, **config}
        done, meant = (js.from_levanter(given, N, faithful=f)(np.arange(N)) for f in (True, False))
        return np.asarray(done), np.asarray(meant)

    done, meant = both(warmup=1, lr_schedule="constant")
    assert done[1] < LR / 100
    assert meant[1] == pytest.approx(LR, rel=1e-6)
    done, meant = both(cycle_length=60, lr_schedule="linear", warmup=0)
    assert meant[180] == pytest.approx(LR, rel=1e-6)
    assert done[180] < LR / 2
    done, meant = both(lr_schedule="inv", warmup=0)
    assert done[0] == done[1]
    assert meant[0] == pytest.approx(LR, rel=1e-6)
    np.testing.assert_array_equal(done[2:], meant[2:])


BASE: dict[str, Any] = {"learning_rate": LR}
ERRORS = {
    "unknown": ({"lr_schedule": "exp"}, "`lr_schedule` must be one of 'constant', 'cosine'"),
    "unknown type": ({"lr_schedule": {"type": "exp"}}, "`lr_schedule` must be one of .* got 'exp'"),
    "no type": ({"lr_schedule": {"power": 2.0}}, "`lr_schedule` must be one of .* got None"),
    "an object": ({"lr_schedule": 3}, "`lr_schedule` must be one of .* got 3"),
    "a half": ({"warmup": 10.5}, "`warmup` must be a part from 0 to 1, or a whole number of steps"),
    "negative": ({"decay": -0.5}, "`decay` must be at least 0"),
    "two kinds of cycles": (
        {"cycles": 2, "cycle_length": 0.5},
        "Only one of `cycles` and `cycle_length`",
    ),
    "too long": ({"cycle_length": [100, 150]}, "`cycle_length` must be within the run of 200"),
    "beyond": ({"cycles": [100, 250]}, "`cycles` must be in ascending order, and within the run"),
    "no cycle": ({"cycle_length": 0.001}, "`cycle_length` must be at least a step of 200"),
    "no floor": ({"lr_schedule": "inv", "min_lr_ratio": 0}, "`min_lr_ratio` must be above 0"),
    "no batch": ({"lr_schedule": "power"}, "`batch_size` is missing from what `from_levanter`"),
    "no rate": ({"learning_rate": None}, "`learning_rate` is missing from what"),
    "another trainer": (
        {"warmup_steps_fraction": 0.1},
        "not read by `from_levanter`, but by `from_m",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_impossible_names_the_field(name: str):
    changes, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        js.from_levanter({**BASE, **changes}, N)


@pytest.fixture
def levanter(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in for the package, with the class that a configuration asks for."""

    class LrSchedule:
        known: ClassVar[dict[str, type]] = {}

        @classmethod
        def register_subclass(cls, name: str) -> Callable[[type], type]:
            return lambda one: cls.known.setdefault(name, one)

    config = ModuleType("levanter.optim.config")
    vars(config)["LrSchedule"] = LrSchedule
    for name in ("levanter", "levanter.optim"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "levanter.optim.config", config)
    levanter_class.cache_clear()
    yield LrSchedule
    levanter_class.cache_clear()


def test_a_schedule_that_a_configuration_of_levanter_takes(levanter: Any):
    rate = js.cosine_decay_schedule(LR, 100)
    one, other = js.to_levanter(rate), js.to_levanter(js.linear_schedule(1.0, 0.0, 10))
    assert isinstance(one, levanter)
    assert type(one) is type(other) is levanter.known["jaxsched"]
    context = SimpleNamespace(warmup_steps=0, decay_steps=100, learning_rate=LR)
    built = one.build(context)
    assert built(50) == rate(50)
    assert dataclasses.asdict(one) == {"schedule": repr(rate)}
    assert float(js.to_levanter(0.25).build(context)(3)) == 0.25


def test_a_controller_is_none_and_levanter_is_needed(levanter: Any):
    with pytest.raises(TypeError, match="schedule"):
        js.to_levanter(js.reduce_on(js.plateau(2), 0.1, 0.5))
    del sys.modules["levanter.optim.config"]
    levanter_class.cache_clear()
    with pytest.raises(ImportError, match="`to_levanter` needs Levanter"):
        js.to_levanter(0.1)


def test_no_length():
    with pytest.raises(ValueError, match="`num_train_steps` is missing"):
        js.from_levanter(BASE)
