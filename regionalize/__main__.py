"""``python -m regionalize``."""

from regionalize.cli import main

if __name__ == "__main__":
    main()
