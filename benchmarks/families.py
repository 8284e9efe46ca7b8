"""Every schedule of jaxsched once, as the text that it parses from."""

from typing import Any

import jaxsched

EXPRESSIONS = [
    "constant_schedule(1e-3)",
    "linear_schedule(1e-3, 0, 1000)",
    "polynomial_schedule(1e-3, 0, 2.0, 1000)",
    "exponential_decay(1e-3, 100, 0.9)",
    "cosine_decay_schedule(1e-3, 1000)",
    "k_decay_schedule(1e-3, 1000, 1.5)",
    "rex_schedule(1e-3, 1000)",
    "tanh_schedule(1e-3, 1000)",
    "normalized_exponential_schedule(1e-3, 1000)",
    "inverse_sqrt_schedule(1e-3, 100)",
    "inverse_time_schedule(1e-3, 100, 0.5)",
    "power_schedule(1e-3, -0.5, 100)",
    "warmup_stable_decay_schedule(0, 1e-3, 100, 700, 200)",
    "exponential_warmup_schedule(100) * 1e-3",
    "untuned_warmup_schedule(0.999) * 1e-3",
    "radam_warmup_schedule(0.999) * 1e-3",
    "warmup_constant_schedule(0, 1e-3, 100)",
    "warmup_cosine_decay_schedule(0, 1e-3, 100, 1000)",
    "warmup_exponential_decay_schedule(0, 1e-3, 100, 100, 0.9)",
    "linear_onecycle_schedule(1000, 1e-3)",
    "cosine_onecycle_schedule(1000, 1e-3)",
    "piecewise_constant_schedule(1e-3, {300: 0.5, 650: 0.3, 900: 0.1})",
    "piecewise_interpolate_schedule('linear', 1e-3, {300: 0.5, 650: 0.3, 900: 0.1})",
    "join_schedules([linear_schedule(1e-3, 0, 300), cosine_decay_schedule(9e-4, 700)], [300])",
    "cosine_restarts_schedule(1e-3, 100, 2, 0.9, 10)",
    "cyclic_schedule(1e-4, 1e-3, 100)",
    "polynomial_cycles_schedule(1e-3, 300)",
    "reflect(cosine_decay_schedule(1e-3, 300), 300)",
    "rewarm(cosine_decay_schedule(1e-3, 1000), 300, 30)",
    "cumulative_product_schedule(1e-3, linear_schedule(0.999, 0.99, 500), 1000)",
    "table_schedule([1e-3, 7e-4, 2e-4, 1e-4], [100, 350, 700, 950], 'monotone')",
    "noise_schedule(0.5) * 1e-3",
    "with_warmup(cosine_decay_schedule(1e-3, 900), 100)",
    "with_cooldown(constant_schedule(1e-3), 800, 200)",
    "repeat(cosine_decay_schedule(1e-3, 100), 100, 2)",
    "shift(cosine_decay_schedule(1e-3, 1000), 10)",
    "stretch(cosine_decay_schedule(1e-3, 500), 2)",
    "by_epoch(exponential_decay(1e-3, 1, 0.9), 100)",
    "clip(exponential_decay(1e-3, 100, 0.9), 1e-4, 9e-4)",
    "minimum(cosine_decay_schedule(1e-3, 1000), 5e-4)",
    "maximum(cosine_decay_schedule(1e-3, 1000), 5e-4)",
]

TABLES = {
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "join_schedules",
    "cumulative_product_schedule",
    "table_schedule",
}
"""Those that look up arrays."""

SIX = [
    "cosine_decay_schedule",
    "exponential_decay",
    "inverse_sqrt_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_stable_decay_schedule",
    "cosine_restarts_schedule",
]
"""Those that stand for all where one measurement takes long."""

FAMILIES: dict[str, Any] = {text.split("(")[0]: jaxsched.parse(text) for text in EXPRESSIONS}
