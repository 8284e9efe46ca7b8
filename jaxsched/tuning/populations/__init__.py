"""Trainings under many schedules in one program."""
