"""Finding a rate: range tests, and many schedules trained at once."""

from jaxsched.tuning.plot_range_test import plot_range_test as plot_range_test
from jaxsched.tuning.populations.population import population as population
from jaxsched.tuning.populations.results import results_table as results_table
from jaxsched.tuning.range_test import RangeTest as RangeTest
from jaxsched.tuning.range_test import range_test as range_test
from jaxsched.tuning.stack import stack as stack
from jaxsched.tuning.suggest import SuggestedRates as SuggestedRates
from jaxsched.tuning.suggest import suggest_rates as suggest_rates
