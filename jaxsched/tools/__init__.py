"""For people, not for the step: what describes, checks, writes down and reads schedules."""
