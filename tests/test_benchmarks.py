"""What the benchmarks measure, and how they judge it."""

import itertools

import numpy as np

import jaxsched
from benchmarks import families, optimizers, targets, timing
from jaxsched.notation.catalogue import public


def test_the_gallery_gives_what_is_measured():
    kinds = {name: maker.kind for name, maker in public().items()}
    assert {kinds[name] for name in families.FAMILIES} == {jaxsched.Schedule}
    assert {kinds[name] for name in families.RULES} == {jaxsched.Controller}
    assert families.TABLES | set(families.SIX) <= set(families.FAMILIES)
    for name, made in {**families.FAMILIES, **families.RULES}.items():
        assert repr(made).startswith(f"{name}(")
        assert f"`{name}`" in optimizers.OURS


def test_neighbours_cancel_a_drift():
    clock = itertools.count(1)
    turns = timing.take_turns(
        lambda: float(next(clock)), {"same": lambda: float(next(clock))}, budget=0
    )
    np.testing.assert_allclose(turns.ratios["same"], np.ones(timing.LEAST_ROUNDS))


def test_an_interval_holds_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for size in (6, 20, 101):
        samples = (timing.estimate(rng.exponential(size=size)) for _ in range(1000))
        held = sum(low <= np.log(2) <= high for _, low, high in samples)
        assert held >= 940


def test_verdicts():
    estimates = {
        "below": timing.Estimate(1.0, 0.9, 1.1),
        "across": timing.Estimate(1.0, 0.9, 1.3),
        "above": timing.Estimate(1.3, 1.3, 1.4),
    }
    parts = targets.at_most(1.2, estimates)
    assert [part.verdict for part in parts] == [targets.MET, targets.NOISY, targets.MISSED]
    assert targets.Target("", parts[:1]).verdict == "met"
    assert targets.Target("", parts[:2]).verdict == "too noisy to tell, 1 of 2"
    assert targets.Target("", parts).verdict == "**missed**, 1 of 3"


def test_targets_of_another_page(tmp_path):
    page = tmp_path / "page.md"
    assert targets.of_page(page) == []
    other, ours = ["| a | b |", "| --- | --- |", ""], ["| target | measured |  |", "| --- |"]
    page.write_text("\n".join([*other, *ours, "| fast | 9 s | met |", "", "An end."]))
    (target,) = targets.of_page(page)
    assert (target.wanted, target.parts[0].figure, target.verdict) == ("fast", "9 s", "met")
