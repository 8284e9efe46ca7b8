"""For people, not for the step: what writes schedules down and reads them back."""
