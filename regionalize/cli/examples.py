"""Whole command lines: the help of every command, the pages and the man page have them from here.

They work one after the other, as `docs/cli.md` runs them; any that begins with `georgia.gpkg` works by itself
after ``regionalize sample .``.
"""

from __future__ import annotations

import click

EXAMPLES: dict[str, tuple[str, ...]] = {
    "regionalize": (
        "regionalize kmeans --k 12 --with-centroids",
        "regionalize sample .",
        "regionalize skater georgia.gpkg --k 8 --columns 'pct_*' \\\n    -o regions.gpkg --map regions.png",
    ),
    "kmeans": (
        "regionalize kmeans georgia.gpkg --k 6 --columns 'pct_*' \\\n    -o kmeans.gpkg --map kmeans.png",
    ),
    "kmedians": ("regionalize kmedians georgia.gpkg --k 6 --columns 'pct_*' -o kmedians.gpkg",),
    "kmedoids": (
        "regionalize kmedoids georgia.gpkg --k 6 --columns 'pct_*' --id name \\\n    -o kmedoids.gpkg",
    ),
    "hierarchical": (
        "regionalize hierarchical georgia.gpkg --k 6 --columns 'pct_*' \\\n"
        "    --method complete -o hierarchical.gpkg",
    ),
    "spectral": (
        "regionalize spectral georgia.gpkg --k 6 --columns 'pct_*' \\\n"
        "    --affinity mutual-knn --neighbors 12 -o spectral.gpkg",
    ),
    "skater": (
        "regionalize skater georgia.gpkg --k 6 --columns 'pct_*' \\\n    --min-size 10 -o skater.gpkg",
    ),
    "schc": (
        "regionalize schc georgia.gpkg --k 4,8,12 --columns 'pct_*' \\\n"
        "    --linkage average -o schc.gpkg --dendrogram joins.svg",
    ),
    "redcap": (
        "regionalize redcap georgia.gpkg --k 6 --columns 'pct_*' \\\n"
        "    --order first --linkage complete -o redcap.gpkg",
    ),
    "azp": (
        "regionalize azp georgia.gpkg --k 6 --columns 'pct_*' \\\n"
        "    --search tabu --tabu-length 20 -o azp.gpkg",
    ),
    "maxp": (
        "regionalize maxp georgia.gpkg --columns 'pct_*' --min-bound tot_pop=5% \\\n"
        "    --restarts 2 --iterations 50 --time-limit 20 -o maxp.gpkg",
    ),
    "balance": (
        "regionalize balance georgia.gpkg --k 6 --columns 'pct_*' \\\n"
        "    --balance tot_pop --iterations 50 --time-limit 20 -o balance.gpkg",
    ),
    "dbscan": ("regionalize dbscan georgia.gpkg --eps 35km --min-samples 5 -o dbscan.gpkg",),
    "hdbscan": ("regionalize hdbscan georgia.gpkg --min-cluster-size 5 -o hdbscan.gpkg",),
    "optics": ("regionalize optics georgia.gpkg --min-samples 5 -o optics.gpkg",),
    "assign": (
        "regionalize kmeans georgia.gpkg --k 4 --columns 'pct_*' --centers centers.csv",
        "regionalize assign georgia.gpkg --centers centers.csv -o assigned.gpkg",
    ),
    "choose-k": (
        "regionalize choose-k georgia.gpkg --k 2-6 --method schc --columns 'pct_*' \\\n"
        "    --plot choice.svg --report choice.csv",
    ),
    "contiguous": (
        "regionalize contiguous kmeans.gpkg --label-column cluster \\\n"
        "    --columns 'pct_*' --best -o joined.gpkg",
    ),
    "validate": (
        "regionalize validate kmeans.gpkg --label-column cluster \\\n    --columns 'pct_*' --require k=6",
    ),
    "compare": (
        "regionalize compare kmeans.gpkg schc.gpkg:cluster_4 --label-column cluster \\\n"
        "    --id fips --columns 'pct_*' --report both.csv",
    ),
    "stability": (
        "regionalize stability georgia.gpkg --method schc --k 4 --columns 'pct_*' \\\n"
        "    --runs 5 --report sure.json",
    ),
    "batch": (
        "regionalize batch 'states/*.gpkg' --method kmeans --k 3 --with-centroids \\\n"
        "    --columns 'pct_*' --out-dir kmeans --summary kmeans.csv",
        "regionalize batch counties.gpkg --by state --method skater --k 4 \\\n"
        "    --columns 'pct_*' --out-dir skater --map .png",
        "regionalize batch plan.toml --resume",
    ),
    "rank": (
        "regionalize rank georgia.gpkg --id name --at 33.75,-84.39 --top 5 \\\n    --map nearest.png",
        "regionalize rank kmeans.gpkg --id name --at 33.75,-84.39 --at 32.08,-81.09 \\\n"
        "    --label-column cluster --max-per-cluster 2 --top 8 -o ranked.csv",
    ),
    "weights": ("regionalize weights georgia.gpkg --weights queen --id fips -o queen.gal",),
    "smooth": (
        "regionalize smooth georgia.gpkg --columns 'pct_*' --hops 2 --missing mean \\\n    -o smooth.gpkg",
    ),
    "map": ("regionalize map kmeans.gpkg --label-column cluster -o kmeans.html",),
    "info": ("regionalize info kmeans.gpkg --id name",),
    "sample": ("regionalize sample data",),
    "completion": ("regionalize completion bash > completion.bash",),
}
"""Command lines by command; `regionalize` is the program itself. A line ends as a shell wants it to go on."""


def examples_of(command: click.Command) -> tuple[str, ...]:
    """Return the examples of a command; for a method of another package, the simplest there is.

    Examples
    --------
    >>> examples_of(click.Command("near", params=[click.Option(["--k"])]))
    ('regionalize near --k 6 -o near.gpkg',)
    """
    name = command.name or ""
    k = " --k 6" if any(param.name == "k" for param in command.params) else ""
    return EXAMPLES.get(name, (f"regionalize {name}{k} -o {name}.gpkg",))


class Exemplified(click.Command):
    """A command whose help has examples, before its options."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Say what it does, and show that."""
        super().format_help_text(ctx, formatter)
        examples = examples_of(self)
        with formatter.section("Example" if len(examples) == 1 else "Examples"):
            for line in "\n".join(examples).splitlines():
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")
