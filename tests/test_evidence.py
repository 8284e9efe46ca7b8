"""The page of evidence has what the code that writes it says."""

from pathlib import Path

from evidence import page
from evidence.rules import AVERAGED, RULES

TEXT = (Path(__file__).parent.parent / "docs" / "evidence.md").read_text()


def test_exact_figures_are_those_of_the_page():
    assert page.bounds() in TEXT


def test_the_words_are_those_around_the_tables():
    for part in page.TEMPLATE.split("$"):
        assert part.split("\n", 1)[-1] in TEXT


def test_each_rule_is_in_both_tables():
    for name in (*RULES, AVERAGED):
        assert TEXT.count(f"| {name} |") >= 2
