"""`regionalize rank --fit`, `--save-model` and `--model`: what is learned, kept and used again."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest

import regionalize as rz

MANY = ("items.csv", "--id", "name", "--at-file", "users.csv", "--at-id", "uid")
REGIONS = ("--label-column", "cl", "--attribute", "rating")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Go to a folder with items in three regions, and users who like the second and what is well rated."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    items, users = draw.uniform(-4, 4, (200, 2)), draw.uniform(-4, 4, (50, 2))
    rating = np.round(draw.uniform(1, 5, 200), 2)
    region = np.searchsorted([-1.3, 1.3], items[:, 1]) + 1
    rows = [
        f"p{at},{a},{b},{one},{own}\n"
        for at, ((a, b), one, own) in enumerate(zip(items, rating, region, strict=True))
    ]
    (tmp_path / "items.csv").write_text("name,lat,lon,rating,cl\n" + "".join(rows))
    rows = [f"u{at},{a},{b}\n" for at, (a, b) in enumerate(users)]
    (tmp_path / "users.csv").write_text("uid,lat,lon\n" + "".join(rows))
    rows = []
    for at, user in enumerate(users):
        near = np.exp(-np.linalg.norm(items - user, axis=1) / 3)
        chance = np.exp(3 * near + 3 * (region == 2) + 0.6 * rating)
        rows += [f"u{at},p{one}\n" for one in draw.choice(200, 5, p=chance / chance.sum())]
    (tmp_path / "clicks.csv").write_text("user,item\n" + "".join(rows))
    (tmp_path / "centers.csv").write_text("name,lat,lon\nwest,0,-3\nmiddle,0,0\neast,1,3\n")
    return tmp_path


class TestFit:
    def test_the_learned_ranking_is_better_for_users_held_out(self, cli, folder):
        found = cli("rank", *MANY, *REGIONS, "--fit", "clicks.csv", "--holdout", 0.2)
        assert found.code == 0
        assert "weights are learned from the clicks of 40 users; NDCG@10 of 10 users held out" in (
            " ".join(found.out.split())
        )
        document = json.loads(cli("rank", *MANY, *REGIONS, "--fit", "clicks.csv", "--json").out)
        figures = document["fit"]
        assert figures["ndcg_trained"] > figures["ndcg_untrained"] + 0.05
        assert figures["better"] is True
        assert (figures["users"], figures["held_out"], figures["k"]) == (40, 10, 10)
        weights = {zone["zone"]: zone["weight"] for zone in document["zones"][0]}
        assert max(weights, key=weights.get) == "2"
        assert list(weights.values()) == figures["zone_weights"]

    def test_from_python(self, cli, folder):
        import pandas as pd

        items, users = pd.read_csv("items.csv"), pd.read_csv("users.csv")
        found = rz.rank(items, users, at_id="uid", id="name", bands=3, fit="clicks.csv", seed=9)
        document = json.loads(
            cli("rank", *MANY, "--bands", 3, "--fit", "clicks.csv", "--seed", 9, "--json").out
        )
        assert found.report["fit"] == document["fit"]

    def test_a_model_kept_from_python_ranks_as_the_shell_does(self, cli, folder):
        import pandas as pd

        items, users = pd.read_csv("items.csv"), pd.read_csv("users.csv")
        found = rz.rank(
            items, users, at_id="uid", id="name", bands=3, fit="clicks.csv", seed=9, save_model="m.json"
        )
        assert cli("rank", *MANY, "--model", "m.json", "-o", "again.csv").code == 0
        again = pd.read_csv("again.csv")
        assert again["item"].tolist() == found.table["item"].tolist()
        np.testing.assert_allclose(again["score"], found.table["score"], rtol=1e-14)
        with pytest.raises(rz.RegionalizeError, match=r"--save-model cannot be written as '\.txt'"):
            rz.rank(items, (0, 0), save_model="m.txt")

    def test_what_is_not_better_is_told(self, cli, folder):
        # clicks by the rank of distance: there is nothing to learn that the untrained score does not know
        ranked = json.loads(cli("rank", *MANY, "--top", 3, "--json").out)["ranking"]
        rows = [f"{row['user']},{row['item']}\n" for row in ranked]
        (folder / "clicks.csv").write_text("user,item\n" + "".join(rows))
        found = cli("rank", *MANY, "--bands", 3, "--fit", "clicks.csv")
        assert "10 users held out: 1.0000 untrained" in " ".join(found.out.split())
        assert (
            "note: the learned weights do not rank better than the untrained score; leave them out"
            in found.notes
        )

    def test_nobody_held_out(self, cli, folder):
        found = cli("rank", *MANY, "--bands", 3, "--fit", "clicks.csv", "--holdout", 0)
        assert "no user was held out, so nothing tells whether they rank better" in " ".join(
            found.out.split()
        )

    def test_bands_are_the_zones_unless_told(self, cli, folder):
        found = cli("rank", *MANY, "--fit", "clicks.csv")
        assert any("zones are 5 bands of distance" in note for note in found.notes)

    def test_the_command_repeats_the_run(self, cli, folder):
        given = ("rank", *MANY, *REGIONS, "--fit", "clicks.csv", "--holdout", 0.3, "--seed", 5, "--json")
        document = json.loads(cli(*given).out)
        program, *words = shlex.split(document["command"])
        assert program == "regionalize"
        again = json.loads(cli(*words, "--json").out)
        assert (again["ranking"], again["fit"]) == (document["ranking"], document["fit"])

    def test_two_runs_write_the_same_bytes(self, cli, folder):
        given = ("rank", *MANY, *REGIONS, "--fit", "clicks.csv", "--seed", 3)
        for name in ("one", "two"):
            assert cli(*given, "-o", f"{name}.csv", "--save-model", f"{name}.json").code == 0
        for ending in (".csv", ".json"):
            assert (folder / f"one{ending}").read_bytes() == (folder / f"two{ending}").read_bytes()


class TestModel:
    @pytest.mark.parametrize("zones", [REGIONS, ("--bands", "3,6", "--nested"), ("--centers", "centers.csv")])
    def test_a_kept_model_ranks_the_same(self, cli, folder, zones):
        given = ("rank", *MANY, "--units", "mi", "--top", 7)
        assert cli(*given, *zones, "--fit", "clicks.csv", "--save-model", "m.json", "-o", "a.csv").code == 0
        assert cli("rank", *MANY, "--model", "m.json", "-o", "b.csv", "--save-model", "n.json").code == 0
        assert (folder / "a.csv").read_bytes() == (folder / "b.csv").read_bytes()
        assert json.loads((folder / "m.json").read_bytes())["learned"]["k"] == 10
        assert (folder / "m.json").read_bytes() == (folder / "n.json").read_bytes()

    def test_less_of_an_attribute_may_be_better(self, cli, folder):
        # everybody takes the worst rated
        rating = [float(line.split(",")[3]) for line in (folder / "items.csv").read_text().splitlines()[1:]]
        worst = np.argsort(rating)[:4].tolist()
        rows = [f"u{at},p{one}\n" for at in range(50) for one in worst]
        (folder / "clicks.csv").write_text("user,item\n" + "".join(rows))
        given = (*MANY, "--attribute", "rating", "--top", 4)
        found = cli("rank", *given, "--fit", "clicks.csv", "--save-model", "m.json", "-o", "a.csv")
        assert "note: users choose what has less of the attribute: less of it counts as better" in found.notes
        lines = (folder / "a.csv").read_text().splitlines()[1:]
        assert sum(line.split(",")[2].strip('"') in {f"p{one}" for one in worst} for line in lines) > 150
        assert cli("rank", *MANY, "--model", "m.json", "-o", "b.csv").code == 0
        assert (folder / "a.csv").read_bytes() == (folder / "b.csv").read_bytes()

    def test_nothing_is_replaced_unasked(self, cli, refused, folder):
        (folder / "m.json").write_text("mine")
        given = ("rank", *MANY, "--bands", 3, "--save-model", "m.json")
        refused(*given, code=1, says=["m.json: already exists; use --overwrite"])
        assert (folder / "m.json").read_text() == "mine"
        assert cli(*given, "--overwrite").code == 0
        again = ("rank", *MANY, "--model", "m.json", "--save-model", "m.json", "--overwrite")
        refused(*again, code=1, says=["m.json: is the input"])

    def test_what_is_listed_may_change(self, cli, folder):
        assert (
            cli("rank", *MANY, "--bands", 3, "--units", "mi", "--top", 2, "--save-model", "m.json").code == 0
        )
        given = ("rank", *MANY, "--model", "m.json", "--json")
        kept = json.loads(cli(*given).out)
        assert (kept["units"], len(kept["ranking"])) == ("mi", 100)
        other = json.loads(cli(*given, "--units", "km", "--top", 1, "--keep-zone", "C2").out)
        assert other["units"] == "km"
        assert {row["zone"] for row in other["ranking"]} == {2}
        assert cli(*given[:-1], "--top", 1, "--save-model", "n.json").code == 0
        assert json.loads((folder / "n.json").read_bytes())["options"]["top"] == 1
        _, *words = shlex.split(other["command"])
        assert json.loads(cli(*words, "--json").out)["ranking"] == other["ranking"]

    def test_regions_that_the_model_does_not_know(self, cli, folder):
        assert cli("rank", *MANY, "--label-column", "cl", "--save-model", "m.json").code == 0
        text = (folder / "items.csv").read_text()
        (folder / "items.csv").write_text(text.replace(",3\n", ",7\n"))
        found = cli("rank", *MANY, "--model", "m.json")
        assert found.code == 0
        assert "note: the model knows no zone 7: their items are in none" in found.notes
        (folder / "items.csv").write_text(text.replace(",cl\n", ",other\n"))
        assert cli("rank", *MANY, "--model", "m.json").code != 0

    @pytest.mark.parametrize(
        ("more", "code", "says"),
        [
            (("--model", "clicks.csv"), 1, "clicks.csv: is not JSON"),
            (("--model", "none.json"), 1, "none.json: the model cannot be read"),
            (
                ("--model", "x.json", "--bands", 3),
                2,
                "--model ranks by its own zones and scores, not by --bands",
            ),
            (("--model", "x.json", "--fit", "clicks.csv"), 2, "not by --fit"),
            (("--holdout", 0.3), 2, "--holdout is for --fit"),
            (("--fit", "clicks.csv", "--holdout", 1), 2, "--holdout 1 is no share"),
            (("--fit", "clicks.csv", "--seed", -1), 2, "--seed is -1"),
            (("--fit", "users.csv"), 1, "there is no column 'user' of clicks"),
            (
                ("--bands", 3, "--save-model", "m.txt"),
                1,
                "--save-model cannot be written as '.txt'; use .json",
            ),
            (("--fit", "clicks.csv", "--save-model", "clicks.csv"), 1, "--save-model cannot be written"),
        ],
    )
    def test_refused(self, refused, folder, more, code, says):
        refused("rank", *MANY, *more, code=code, says=[says])

    def test_an_unknown_item_is_told_with_its_row(self, refused, folder):
        with (folder / "clicks.csv").open("a") as file:
            file.write("u1,p999\n")
        says = ["clicks.csv", "item:row 251: there is no item 'p999'"]
        refused("rank", *MANY, "--fit", "clicks.csv", code=1, says=says)
