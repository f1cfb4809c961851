/* A labeling, and the legend from which clusters are chosen. */

class Coloring {
  constructor(data, shapes, night, outlined) {
    Object.assign(this, {name: data.name, detail: data.detail, legend: data.legend, classes: data.classes, night});
    this.place = numbers(data.places);   // of every row's class in the legend
    this.parts = grouped(Int32Array.from(shapes.row, row => this.place[row]), data.classes.length);
    this.regions = data.regions ? numbers(data.regions) : this.place;
    this.outlined = outlined || Boolean(data.regions);   // however small units are, and in ink
    this.chosen = new Set();
  }

  color(place) {
    return this.classes[place][this.night.matches && !this.paper ? 'night' : 'day'];
  }

  isChosen(row) {
    return !this.chosen.size || this.chosen.has(this.place[row]);
  }

  /* What the painter needs to know, with the colours of the page. A copy, which later changes leave alone. */
  look() {
    const style = getComputedStyle(document.documentElement), own = name => style.getPropertyValue(name).trim();
    const chosen = new Set(this.chosen), colors = this.classes.map((_, c) => this.color(c));
    return {
      classes: this.classes, place: this.place, parts: this.parts, night: this.night.matches && !this.paper,
      regions: this.regions, outlined: this.outlined, color: c => colors[c], alpha: c => (!chosen.size || chosen.has(c) ? 1 : FAINT),
      ground: own('--ground'), ink: own('--ink'), line: own('--line'), halo: own('--halo'),
    };
  }
}

class Legend {
  /* `changed` is called when clusters were chosen or given back. */
  constructor(changed) {
    this.box = document.getElementById('legend');
    this.all = document.getElementById('all');
    this.changed = changed;
    this.all.addEventListener('click', () => this.clear());
  }

  show(coloring) {
    this.coloring = coloring;
    this.box.querySelector('summary').replaceChildren(isolated(coloring.legend));
    this.box.querySelector('ul').replaceChildren(...coloring.classes.map((one, c) => {
      const button = element('button'), item = element('li'), name = isolated(one.text);
      button.type = 'button';
      name.title = one.text;
      button.append(swatch(coloring.color(c)), name, element('small', one.count.toLocaleString('en')));
      button.addEventListener('click', () => this.toggle(c));
      item.append(button);
      return item;
    }));
    this.press();
  }

  toggle(c) {
    const {chosen} = this.coloring;
    if (!chosen.delete(c)) chosen.add(c);
    this.press();
    this.changed();
  }

  clear() {
    this.coloring.chosen.clear();
    this.press();
    this.changed();
  }

  press() {
    const {chosen} = this.coloring;
    this.box.classList.toggle('some', chosen.size > 0);
    this.all.hidden = !chosen.size;
    this.box.querySelectorAll('li button').forEach((button, c) => button.setAttribute('aria-pressed', String(chosen.has(c))));
  }

  /* Who is chosen, in words. */
  said() {
    const {chosen, classes, legend} = this.coloring;
    if (!chosen.size) return 'all units are shown';
    const units = [...chosen].reduce((sum, c) => sum + classes[c].count, 0);
    const names = [...chosen].map(c => classes[c].text).join(', ');
    return `${legend} ${names}: ${units.toLocaleString('en')} of ${this.coloring.place.length.toLocaleString('en')} units`;
  }
}
