"""What a schedule is: a formula with its hyperparameters bound."""

from jaxsched.core.schedule import Schedule as Schedule
from jaxsched.core.schedule import schedule as schedule
