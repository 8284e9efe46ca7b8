"""The schedules: each a formula of the step count, and combinators that are formulas too."""
