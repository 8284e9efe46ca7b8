"""Makers are plain functions, and what they make plain objects, for whatever reads or copies."""

import copy
import dataclasses
import inspect
import pickle
import typing

import jax
import numpy as np
import pytest

import jaxsched as js
from jaxsched.notation.catalogue import public

MAKERS = public()
SCHEDULE = js.cosine_decay_schedule(0.1, 100)
BOUND = [SCHEDULE, js.plateau(patience=3), js.reduce_on(js.plateau(), SCHEDULE), SCHEDULE * 2]


@pytest.mark.parametrize("name", MAKERS)
def test_a_maker_is_a_function_with_types_and_defaults(name):
    maker = MAKERS[name]
    assert inspect.isfunction(maker)
    signature, hints = inspect.signature(maker), typing.get_type_hints(maker)
    assert maker.__name__ == name
    assert maker.__doc__
    assert inspect.signature(inspect.unwrap(maker)) == signature
    assert typing.get_type_hints(inspect.unwrap(maker)) == hints
    assert {*signature.parameters, "return"} == set(hints)
    assert signature.return_annotation in (js.Schedule, js.Monitor, js.Controller)
    for parameter in signature.parameters.values():
        shown = str(parameter.annotation)
        assert not any(word in shown for word in ("Annotated", "function", "Array", "empty"))
    assert pickle.loads(pickle.dumps(maker)) is maker is copy.deepcopy(maker)


def test_types_and_defaults_are_those_of_the_formula():
    signature = inspect.signature(js.cosine_decay_schedule)
    assert str(signature).startswith(
        "(init_value: float, decay_steps: float, alpha: float = 0.0, exponent: float = 1.0) -> "
    )
    assert inspect.getsource(js.cosine_decay_schedule).startswith("@schedule")


@dataclasses.dataclass
class Settings:
    rate: object
    steps: int = 3


@pytest.mark.parametrize("bound", BOUND, ids=repr)
def test_what_copies_fields_leaves_it_whole(bound):
    assert not dataclasses.is_dataclass(bound)
    assert dataclasses.asdict(Settings(bound))["rate"] == bound
    assert copy.copy(bound) == copy.deepcopy(bound) == pickle.loads(pickle.dumps(bound)) == bound
    assert dataclasses.replace(Settings(bound), steps=4).rate is bound
    assert bound.__name__ == bound.maker.__name__
    assert not hasattr(bound, "__dict__")
    assert not hasattr(bound, "_fields")
    rebuilt = jax.tree.unflatten(jax.tree.structure(bound), jax.tree.leaves(bound))
    assert type(rebuilt) is type(bound)
    assert rebuilt == bound


@pytest.mark.parametrize("bound", BOUND, ids=repr)
def test_nothing_is_set_or_deleted(bound):
    for name in ("hyperparams", "maker", "other"):
        with pytest.raises(AttributeError, match=rf"`{name}` cannot be set.*\.replace\({name}="):
            setattr(bound, name, 1)
        with pytest.raises(AttributeError, match=f"`{name}` cannot be deleted"):
            delattr(bound, name)


def test_an_unknown_attribute_names_the_hyperparameters():
    with pytest.raises(AttributeError, match=r"`decay_steps` in `.hyperparams\['decay_steps'\]`"):
        _ = SCHEDULE.decay_steps
    with pytest.raises(AttributeError, match=r"no attribute `gamma`; see `.hyperparams`"):
        _ = SCHEDULE.gamma
    assert not hasattr(SCHEDULE, "init")
    assert not hasattr(SCHEDULE, "update")


@pytest.mark.parametrize(
    ("name", "meant"), [("decay_step", "decay_steps"), ("init", "init_value"), ("zz", None)]
)
def test_an_unknown_argument_is_told_before_a_missing_one(name, meant):
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'") as caught:
        js.cosine_decay_schedule(**{name: 1.0})
    assert ("did you mean" in str(caught.value)) == (meant is not None)
    assert meant is None or f"did you mean `{meant}`?" in str(caught.value)


def test_a_schedule_in_a_numpy_array_stays_itself():
    boxed = np.empty(1, object)
    boxed[0] = SCHEDULE
    assert boxed[0] is SCHEDULE
