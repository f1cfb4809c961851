"""Layer → X (n, p): columns, transforms, smoothing, centroids."""
