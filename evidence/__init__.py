"""What is known of schedules, measured: each module is one experiment."""
