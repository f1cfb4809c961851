"""Build the sample layer, Georgia's 159 counties in 1990, from the files libpysal carries.

``python sample_data/build.py [FOLDER]`` writes ``georgia.gpkg`` and ``georgia.shp`` with its companions.
The dates both formats store are pinned, so that the same GDAL writes the same bytes.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DATE = "2020-01-01"
CRS = "EPSG:26716"  # NAD27 / UTM zone 16N: see README.md for how this was found out

COLUMNS = {
    "TotPop90": ("tot_pop", int),
    "PctRural": ("pct_rural", float),
    "PctBach": ("pct_bach", float),
    "PctEld": ("pct_eld", float),
    "PctFB": ("pct_fb", float),
    "PctPov": ("pct_pov", float),
    "PctBlack": ("pct_black", float),
}
"""Column of GData_utm.csv: our name (10 characters at most, for the shapefile) and type."""

# The source has FIPS codes only. These are the county names of FIPS 6-4 in the order of their codes.
NAMES = """
Appling, Atkinson, Bacon, Baker, Baldwin, Banks, Barrow, Bartow, Ben Hill, Berrien, Bibb, Bleckley,
Brantley, Brooks, Bryan, Bulloch, Burke, Butts, Calhoun, Camden, Candler, Carroll, Catoosa, Charlton,
Chatham, Chattahoochee, Chattooga, Cherokee, Clarke, Clay, Clayton, Clinch, Cobb, Coffee, Colquitt,
Columbia, Cook, Coweta, Crawford, Crisp, Dade, Dawson, Decatur, DeKalb, Dodge, Dooly, Dougherty, Douglas,
Early, Echols, Effingham, Elbert, Emanuel, Evans, Fannin, Fayette, Floyd, Forsyth, Franklin, Fulton,
Gilmer, Glascock, Glynn, Gordon, Grady, Greene, Gwinnett, Habersham, Hall, Hancock, Haralson, Harris, Hart,
Heard, Henry, Houston, Irwin, Jackson, Jasper, Jeff Davis, Jefferson, Jenkins, Johnson, Jones, Lamar,
Lanier, Laurens, Lee, Liberty, Lincoln, Long, Lowndes, Lumpkin, McDuffie, McIntosh, Macon, Madison, Marion,
Meriwether, Miller, Mitchell, Monroe, Montgomery, Morgan, Murray, Muscogee, Newton, Oconee, Oglethorpe,
Paulding, Peach, Pickens, Pierce, Pike, Polk, Pulaski, Putnam, Quitman, Rabun, Randolph, Richmond, Rockdale,
Schley, Screven, Seminole, Spalding, Stephens, Stewart, Sumter, Talbot, Taliaferro, Tattnall, Taylor,
Telfair, Terrell, Thomas, Tift, Toombs, Towns, Treutlen, Troup, Turner, Twiggs, Union, Upson, Walker,
Walton, Ware, Warren, Washington, Wayne, Webster, Wheeler, White, Whitfield, Wilcox, Wilkes, Wilkinson,
Worth
"""


def georgia() -> Any:
    """Join libpysal's county polygons with its table, by county code, as a GeoDataFrame."""
    import geopandas
    import libpysal
    import pandas
    import shapely

    source = Path(libpysal.__file__).parent / "examples" / "georgia"
    counties = geopandas.read_file(source / "G_utm.shp", columns=["AreaKey"])
    with (source / "GData_utm.csv").open(newline="") as file:
        rows = {int(row["AreaKey"]): row for row in csv.DictReader(file)}
    codes = [int(code) for code in counties["AreaKey"]]
    names = [name.strip() for name in NAMES.split(",")]
    if sorted(codes) != sorted(rows) or len(codes) != len(names):
        raise SystemExit("libpysal's Georgia files are not the 159 counties this script was written for")
    named = dict(zip(sorted(rows), names, strict=True))
    table = pandas.DataFrame({"name": [named[code] for code in codes], "fips": [str(code) for code in codes]})
    for column, (name, kind) in COLUMNS.items():
        table[name] = [kind(rows[code][column]) for code in codes]
    table["tot_pop"] = table["tot_pop"].astype("int32")
    # nine counties have an island or two; one kind for all keeps the GeoPackage's declared type true
    shapes = [
        shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
        for shape in counties.geometry
    ]
    return geopandas.GeoDataFrame(table, geometry=shapes, crs=CRS)


def build(folder: Path) -> None:
    """Write both formats into `folder`, replacing what is there."""
    import pyogrio

    frame = georgia()
    for old in folder.glob("georgia.*"):
        old.unlink()
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{DATE}T00:00:00.000Z"})
    try:
        frame.to_file(folder / "georgia.gpkg", layer="georgia", engine="pyogrio")
        frame.to_file(folder / "georgia.shp", engine="pyogrio", encoding="UTF-8", DBF_DATE_LAST_UPDATE=DATE)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=HERE)
    build(parser.parse_args().folder)
