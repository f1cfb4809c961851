"""`make mutants` runs these files; pytest, which would import them for their examples, leaves them alone."""

collect_ignore = ["changes.py", "run.py", "trial.py"]
