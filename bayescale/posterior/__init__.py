"""From draws to named data sets, densities, and parameters of any label."""
