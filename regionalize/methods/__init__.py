"""X → labels; one algorithm per public function."""
