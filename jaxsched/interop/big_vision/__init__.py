"""The configurations of big_vision."""
