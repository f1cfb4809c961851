"""Search a reader for content that breaks it, led by the lines of the package that content reaches.

As a program: `python explore.py READER CORPUS -seed=1 -max_total_time=60`, with libFuzzer's options.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris


def main(name: str, corpus: str, options: list[str]) -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    with atheris.instrument_imports(include=["regionalize"]):
        from targets import READERS, survives
    from seeds import SEEDS, WORDS

    for number, seed in enumerate(SEEDS[name]):
        (Path(corpus) / f"seed-{number}").write_bytes(seed)
    words = Path(corpus).with_suffix(".dict")
    words.write_text("".join(f'"{escaped(word)}"\n' for word in WORDS[name] if 0 < len(word) < 60))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with atheris.instrument_imports(include=["regionalize"]):
            for seed in SEEDS[name]:  # readers import what they need when they are called
                survives(name, seed, folder)

        def one(content: bytes) -> None:
            survives(name, content, folder)

        assert name in READERS
        limits = [
            "-timeout=20",
            "-rss_limit_mb=3000",
            "-max_len=20000",
            "-print_final_stats=1",
            f"-dict={words}",
        ]
        atheris.Setup([sys.argv[0], *limits, *options, corpus], one)
        atheris.Fuzz()


def escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
