/* Finding a unit by what it is called: exactly, or by the beginning or any part of it. Entering the same text
   again goes to the next. */

const OFFERS = 10;

class Search {
  /* `found` is called with the row of a unit. */
  constructor(ids, title, words, found) {
    Object.assign(this, {words, found, last: '', turn: 0});
    this.keys = ids.map(id => this.folded(id));
    this.ids = ids;
    this.field = document.getElementById('wanted');
    this.offers = document.getElementById('offers');
    document.getElementById('what').replaceChildren(isolated(title));
    this.field.addEventListener('input', () => this.offer());
    document.getElementById('search').addEventListener('submit', event => {
      event.preventDefault();
      this.enter();
    });
  }

  /* Without accents and capitals, so that "Cote" finds "Côte". */
  folded(text) {
    return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim();
  }

  /* Rows whose names hold the text: those that are it, then those that begin with it, then all others. */
  matches(text, most) {
    const wanted = this.folded(text), found = [[], [], []];
    if (!wanted) return [];
    for (let row = 0; row < this.keys.length; row++) {
      const at = this.keys[row].indexOf(wanted);
      if (at < 0) continue;
      const list = found[this.keys[row] === wanted ? 0 : at === 0 ? 1 : 2];
      if (list.length < most) list.push(row);
    }
    return (found[0].length ? found[0] : [...found[1], ...found[2]]).slice(0, most);
  }

  offer() {
    const rows = this.matches(this.field.value, OFFERS);
    const names = [...new Set(rows.map(row => this.ids[row]))];
    this.offers.replaceChildren(...names.map(name => {
      const option = element('option');
      option.value = name;
      return option;
    }));
  }

  enter() {
    const text = this.field.value.trim();
    if (!text) return;
    const rows = this.matches(text, 1000);
    this.turn = text === this.last ? this.turn + 1 : 0;
    this.last = text;
    if (!rows.length) return this.words.say(`nothing found for “${text}”`);
    const place = this.turn % rows.length;
    this.found(rows[place], rows.length > 1 ? ` (${place + 1} of ${rows.length}${rows.length === 1000 ? ' or more' : ''})` : '');
  }
}
