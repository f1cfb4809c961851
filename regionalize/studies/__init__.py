"""Questions asked of several solutions: which k, how alike, how stable."""
