"""Speed and memory against stated goals, as ratios within one run."""
