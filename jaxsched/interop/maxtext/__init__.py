"""The configurations of MaxText."""
