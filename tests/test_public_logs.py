"""Final losses of public runs, predicted from two of them.

`JAXSCHED_LOGS` names a folder with the files of `data/` in github.com/fabian-sp/lr-scheduling.
Without it there is nothing here to run.
"""

import os
from pathlib import Path

import pytest

from evidence.public_logs import predict, read_runs

if FOLDER := os.environ.get("JAXSCHED_LOGS"):

    @pytest.mark.parametrize(
        ("peak", "error", "rank"), [(5e-4, 0.0090, 0.996), (1e-3, 0.0120, 0.996)]
    )
    def test_two_runs_predict_the_others_of_their_peak(peak, error, rank):
        found = predict(read_runs(Path(str(FOLDER)), peak))
        assert len(found.seen) >= 29
        assert found.error < error
        assert found.rank > rank


def test_a_folder_without_runs_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no runs of peak 0\.0005"):
        read_runs(tmp_path, 5e-4)
