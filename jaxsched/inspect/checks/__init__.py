"""What looks wrong with a schedule, one mistake a file."""
