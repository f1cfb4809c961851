"""Many runs: what they are, who works on them, and what came of each."""
