"""Three trainers' rules for skipping an update, written again: for many streams side by side.

Each takes an array of losses, a row a step and a column a stream, and returns where it skips.
"""

import numpy as np

WINDOW, DEVIATIONS = 128, 6.0


class Rolling:
    """The last values of each stream: their number, mean and spread."""

    def __init__(self, size):
        self.size, self.values = size, []
        self.total = self.squares = 0.0

    def add(self, value):
        self.values.append(value)
        self.total, self.squares = self.total + value, self.squares + value**2
        if len(self.values) > self.size:
            old = self.values.pop(0)
            self.total, self.squares = self.total - old, self.squares - old**2

    def mean(self):
        return self.total / max(len(self.values), 1)

    def deviation(self, less=0):
        """The standard deviation, of the sample where `less` is 1."""
        number = len(self.values)
        spread = self.squares - number * self.mean() ** 2
        return np.sqrt(np.maximum(spread, 0) / max(number - less, 1))


def maxtext(losses):
    """Above the mean of the last 128 by six deviations of the sample, from half of them on."""
    past, skipped = Rolling(WINDOW), []
    for count, loss in enumerate(losses):
        far = loss - past.mean() > DEVIATIONS * past.deviation(less=1)
        skipped.append(far & (count + 1 >= max(2, WINDOW // 2)))
        past.add(loss)
    return np.array(skipped)


def olmo_core(losses):
    """Off the mean to either side, from 64 values on, the one looked at among them."""
    past, skipped = Rolling(WINDOW), []
    for loss in losses:
        enough = len(past.values) + 1 >= max(20, WINDOW // 2)
        distance = abs(loss - past.mean())
        skipped.append((distance > DEVIATIONS * past.deviation(less=1)) & enough)
        past.add(loss)
    return np.array(skipped)


def levanter(losses):
    """Above the mean of the last 129 by six deviations of these, from 64 on."""
    past, skipped = Rolling(WINDOW + 1), []
    for loss in losses:
        enough = len(past.values) >= max(2, WINDOW // 2)
        limit = past.mean() + DEVIATIONS * np.maximum(past.deviation(), 1e-6)
        skipped.append((loss > limit) & enough)
        past.add(loss)
    return np.array(skipped)
