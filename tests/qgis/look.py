"""Open layers in QGIS, say how it shows them, and draw them; run by the Python that Debian's QGIS is for.

    python3 look.py FILE[|layername=NAME]=PICTURE.png ...

Prints one JSON document: a list, in order, of what was found.
"""

import json
import sys


def described(symbol):
    """Say what a symbol is made of, the lowest layer first."""
    layers = [symbol.symbolLayer(at) for at in range(symbol.symbolLayerCount())]
    return [{"kind": layer.layerType(), **layer.properties()} for layer in layers]


def looked_at(source, picture):
    """Open a layer as a person would, and draw it."""
    from qgis.core import QgsVectorLayer

    layer = QgsVectorLayer(source, "layer", "ogr")
    assert layer.isValid(), source
    renderer = layer.renderer()
    found = {"renderer": renderer.type(), "opacity": layer.opacity(), "rows": layer.featureCount()}
    if renderer.type() == "categorizedSymbol":
        found["column"] = renderer.classAttribute()
        found["classes"] = [
            {
                "value": None
                if one.value() in (None, "") or one.value() != one.value()
                else str(one.value()),
                "label": one.label(),
                "color": one.symbol().color().name(),
                "symbol": described(one.symbol()),
            }
            for one in renderer.categories()
        ]
    elif renderer.type() == "graduatedSymbol":
        found["column"] = renderer.classAttribute()
        found["classes"] = [
            {
                "value": [one.lowerValue(), one.upperValue()],
                "label": one.label(),
                "color": one.symbol().color().name(),
            }
            for one in renderer.ranges()
        ]
    found["legend"] = [item.label() for item in renderer.legendSymbolItems()]
    related, _, names, descriptions, _ = layer.listStylesInDatabase()
    found["styles"] = dict(zip(names[:related], descriptions[:related], strict=True))
    image = drawn(layer)
    image.save(picture)
    colors = {}
    for x in range(0, image.width(), 2):
        for y in range(0, image.height(), 2):
            name = image.pixelColor(x, y).name()
            colors[name] = colors.get(name, 0) + 1
    found["colors"] = {name: count for name, count in colors.items() if count > 40}
    return found


def drawn(layer):
    """Draw a layer, all of it."""
    from qgis.core import QgsMapRendererSequentialJob, QgsMapSettings
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setBackgroundColor(QColor("white"))
    settings.setOutputSize(QSize(800, 800))
    settings.setOutputDpi(96)
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(layer.extent().buffered(layer.extent().width() * 0.02))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def main():
    """Look at every layer named."""
    from qgis.core import Qgis, QgsApplication

    application = QgsApplication([], False)
    application.initQgis()
    try:
        pairs = [argument.rpartition("=")[::2] for argument in sys.argv[1:]]
        layers = [looked_at(source, picture) for source, picture in pairs]
        json.dump({"version": Qgis.QGIS_VERSION, "layers": layers}, sys.stdout, default=str)
    finally:
        sys.stdout.flush()
        application.exitQgis()


if __name__ == "__main__":
    main()
