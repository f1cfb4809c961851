/* Words on the page. What comes from the data goes in as text, never as HTML. */

const grouped4 = new Intl.NumberFormat('en', {maximumFractionDigits: 10});
const ungrouped = new Intl.NumberFormat('en', {maximumFractionDigits: 10, useGrouping: false});
const TOLD = 8;    // values and other labelings that are shown while hovering; all of them once a unit is selected

/* A number as people read it; years keep their four digits together. */
function plain(value) {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'number') return value;
  const size = Math.abs(value);
  if (size && (size < 1e-4 || size >= 1e15)) return value.toExponential();
  return (size >= 10000 ? grouped4 : ungrouped).format(value).replace('-', '−');
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

/* Names in any script, whatever their direction, keep to themselves. */
function isolated(text) {
  const made = element('bdi', text);
  made.dir = 'auto';
  return made;
}

function swatch(color) {
  const made = element('span', undefined, 'swatch');
  made.style.background = color;
  return made;
}

class Words {
  constructor(data, colorings) {
    Object.assign(this, {data, colorings});
    this.tip = document.getElementById('tip');
    this.panel = document.getElementById('unit');
    this.status = document.getElementById('say');
  }

  say(text) {
    this.status.textContent = text;
  }

  /* Everything on a unit: what it is called, its cluster in every labeling, the current one first, its values. */
  about(row, current, most) {
    const heading = element('h2');
    heading.append(isolated(this.data.ids[row]));
    const parts = [heading];
    const others = this.colorings.filter(one => one !== current).slice(0, most);
    for (const coloring of [current, ...others]) {
      const line = element('div', undefined, 'class'), place = coloring.place[row];
      const said = `${coloring.legend}: ${coloring.classes[place].text}`;
      line.append(swatch(coloring.color(place)), isolated(coloring === current ? said : `${coloring.name}: ${said}`));
      parts.push(line);
    }
    const columns = this.data.columns, list = element('dl');
    for (const {name, values} of columns.slice(0, most)) {
      const term = element('dt'), value = element('dd');
      term.append(isolated(name));
      value.append(isolated(plain(values[row])));
      list.append(term, value);
    }
    if (columns.length) parts.push(list);
    if (columns.length > most) parts.push(element('small', `and ${columns.length - most} more: select the unit`));
    return parts;
  }

  /* A unit in one sentence, for the ear. */
  sentence(row, current) {
    const {ids, id} = this.data;
    return `${id} ${ids[row]}, ${current.legend} ${current.classes[current.place[row]].text}`;
  }

  showTip(row, current, x, y, stage) {
    this.tip.replaceChildren(...this.about(row, current, TOLD));
    this.tip.hidden = false;
    const {offsetWidth, offsetHeight} = this.tip, {clientWidth, clientHeight} = stage;
    const right = x + 16 + offsetWidth <= clientWidth ? x + 16 : x - 16 - offsetWidth;
    const below = y + 16 + offsetHeight <= clientHeight ? y + 16 : y - 16 - offsetHeight;
    this.tip.style.transform = `translate(${Math.max(right, 4)}px, ${Math.max(below, 4)}px)`;
  }

  hideTip() {
    this.tip.hidden = true;
  }

  showUnit(row, current, close) {
    this.panel.hidden = row < 0;
    if (row < 0) return this.panel.replaceChildren();
    const button = element('button', '×');
    button.type = 'button';
    button.setAttribute('aria-label', 'Close');
    button.addEventListener('click', close);
    this.panel.replaceChildren(...this.about(row, current, Infinity), button);
  }
}
