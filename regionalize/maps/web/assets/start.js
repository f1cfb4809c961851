/* Puts the page together: data, map, legend, search, and what happens when something is chosen. */

const data = JSON.parse(document.getElementById('data').textContent);
const night = matchMedia('(prefers-color-scheme: dark)');
const shapes = new Shapes(data.shapes, data.ids.length);
const colorings = data.colorings.map(one => new Coloring(one, shapes, night, data.outlined));
const canvas = document.getElementById('map');
const camera = new Camera(data.width, data.height);
const screen = new Screen(canvas, shapes, camera, data.metres);
const words = new Words(data, colorings);
let current = colorings[data.shown];
let pointer = null;

const legend = new Legend(() => {
  screen.show(current.look());
  words.say(legend.said());
});

function choose(number) {
  if (!colorings[number]) return;
  current = colorings[number];
  away();
  document.getElementById('coloring').value = String(number);   // of the list below
  document.getElementById('detail').textContent = current.detail;
  canvas.setAttribute('aria-label', `${data.title}: ${current.name}, ${data.ids.length.toLocaleString('en')} units`);
  legend.show(current);
  screen.show(current.look());
  words.showUnit(screen.selected, current, unselect);
}

function select(row, after = '') {
  screen.selected = row;
  words.showUnit(row, current, unselect);
  words.say(row < 0 ? 'no unit is selected' : words.sentence(row, current) + after);
  screen.ask();
}

/* What was pointed at is told no longer: it goes by another label, or another unit has come under the pointer. */
function away() {
  words.hideTip();
  pointer = null;
  if (screen.hovered >= 0) screen.ask();
  screen.hovered = -1;
}

function unselect() {
  select(-1);
  canvas.focus();
}

/* Select a unit and bring it into sight: as near as it takes to see it if `near`, else no nearer than it is. */
function visit(row, near, after) {
  const box = shapes.rowBox.subarray(4 * row, 4 * row + 4);
  const there = box[2] >= box[0];
  away();
  if (there && (near || !camera.shows(box))) {
    const view = camera.around(box);
    camera.go(near ? view : {...view, scale: Math.min(camera.goal.scale, Math.max(view.scale, camera.home.scale))});
  }
  select(row, there ? after : `${after || ''}, without a place on the map`);
}

/* Look under the pointer once a frame, not with every event. */
function hover() {
  if (!pointer) return;
  const {x, y} = pointer, reach = (pointer.touch ? 14 : Math.max(pointReach(), 5)) / camera.scale;
  pointer = null;
  const row = shapes.at(...camera.toMap(x, y), reach);
  if (row >= 0) words.showTip(row, current, x, y, screen.stage);
  else words.hideTip();
  if (row === screen.hovered) return;
  screen.hovered = row;
  screen.ask();
}

function pointReach() {
  if (shapes.firstPoint === shapes.row.length) return 0;
  return pointSize(shapes, {w: camera.w, h: camera.h, zoom: camera.scale / camera.home.scale}) / 2;
}

listen(canvas, camera, {
  moved: () => screen.ask(),
  point(place) {
    if (!place) return away();
    if (!pointer) requestAnimationFrame(hover);
    pointer = place;
  },
  press({x, y, touch}) {
    words.hideTip();
    const row = shapes.at(...camera.toMap(x, y), (touch ? 14 : Math.max(pointReach(), 5)) / camera.scale);
    if (row >= 0 || screen.selected >= 0) select(row);
    if (touch && row >= 0) words.showTip(row, current, x, y, screen.stage);   // the panel may be out of sight
  },
  step(by) {
    const {count} = shapes;
    let row = screen.selected < 0 && by < 0 ? 0 : screen.selected;
    for (let tries = 0; tries < count; tries++) {
      row = (row + by + count) % count;
      if (current.isChosen(row)) return visit(row, false);
    }
  },
  clear() {
    words.hideTip();
    if (screen.selected >= 0) select(-1);
    if (current.chosen.size) legend.clear();
  },
  choose,
});

new Search(data.ids, data.id, words, (row, after) => visit(row, true, after));

if (colorings.length > 1) {
  const list = document.getElementById('coloring');
  colorings.forEach((one, number) => {
    const option = element('option', one.name);
    option.value = String(number);
    list.append(option);
  });
  list.addEventListener('change', () => {
    choose(Number(list.value));
    words.say(`${current.name} is shown`);
  });
  document.getElementById('chooser').hidden = false;
}

if (matchMedia('(max-width: 700px)').matches && current.classes.length > 8) legend.box.open = false;

/* Colours follow the reader's preference, and paper is white. */
function recolor(paper) {
  for (const one of colorings) one.paper = paper;
  legend.show(current);
  screen.show(current.look());
  words.showUnit(screen.selected, current, unselect);
}
night.addEventListener('change', () => recolor(false));
window.addEventListener('beforeprint', () => {
  legend.box.open = true;
  recolor(true);
  screen.now();
});
window.addEventListener('afterprint', () => recolor(false));

choose(data.shown);
