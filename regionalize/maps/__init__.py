"""Results one can look at, drawn offline.

`web`, `plots` and `report` hold what only they draw. Here are the maps (`static`, `multiples`, `shades`) and
what all stand on:

- geometry: `paths` takes a layer apart and puts it onto a page, `ground` knows its extent and `scale` its
  lengths, `arcs` and `rings` share borders between neighbours, `borders` finds where regions end;
- looks: `colors`, `text` (fonts and words), `style` (the same for desktop programs), `html` (safe pages);
- the page: `sheet` works out where everything goes, `units` and `furniture` draw it, `classes` puts a page of
  maps together, `picture` is the way in and out of matplotlib.
"""
