"""Many random texts, of which `parse` runs none: `make fuzz` reads a million."""

import argparse

from jaxsched.notation import walking
from tests.test_parse import read_or_refused

_AT_ONCE = 10_000


def main() -> None:
    """Reads texts, and fails at the first that raises or does anything but be read."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--number", type=int, default=1_000_000)
    number = arguments.parse_args().number
    # Looking for a similar name takes longer than all the rest.
    walking.hint = lambda name: ""
    made = 0
    for begin in range(0, number, _AT_ONCE):
        read, events = read_or_refused(1_000_000 + begin, min(_AT_ONCE, number - begin))
        if events:
            raise SystemExit(f"After {begin} texts, these did something: {events}")
        made += len(read)
    print(f"{number} texts: {made} read, {number - made} refused, none run.")


if __name__ == "__main__":
    main()
