from tests.oracles import coverage


def test_every_class_has_cases():
    assert coverage.main() == 0
