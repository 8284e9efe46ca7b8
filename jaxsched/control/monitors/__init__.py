"""The monitors: rules that turn a stream of metric values into events."""
