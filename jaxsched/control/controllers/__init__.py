"""What happens on an event: rates that keep a state."""
