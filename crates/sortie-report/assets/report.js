// The ranking: shows the rows that are in view, sorts and filters; and keeps a live page up to date.
// Text enters the page as text (textContent) only, but for sections, which come escaped.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  // The places of a row's values, as `data.rs` writes them.
  const ID = 0, PATH = 1, SCORE = 2, SCORE_TEXT = 3, STANDING = 4, END = 5, DETAIL = 6, RUNNING = 7, RUNNING_TEXT = 8,
    QUEUED = 9, QUEUED_TEXT = 10, MEMORY = 11, MEMORY_TEXT = 12, ENDED = 13, ENDED_TEXT = 14, HOST = 15, METRICS = 16,
    ATTEMPT = 17;
  const CORRECT = 0;
  const ROW_HEIGHT = 36, OVERSCAN = 12, PRINTED = 200;
  const { standings, rows } = data;
  let hosts = data.hosts;
  const scroller = byId("scroller"), table = byId("rows"), body = table.tBodies[0];
  const query = byId("query"), standing = byId("standing"), shown = byId("shown"), detail = byId("detail"), none = byId("none");
  const number = new Intl.NumberFormat("en");
  const collator = new Intl.Collator("en", { numeric: true });

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // ---- Order
  let ranks = [];
  const haystacks = [];
  const sort = { key: "rank", down: false };
  let view = [];

  const rank = () => {
    const scored = [];
    rows.forEach((row, index) => {
      if (row[STANDING] === CORRECT && row[SCORE] !== null) scored.push(index);
    });
    scored.sort((one, other) => rows[other][SCORE] - rows[one][SCORE]);
    ranks = new Array(rows.length).fill(null);
    scored.forEach((index, place) => { ranks[index] = place + 1; });
  };

  const KEYS = {
    rank: (index) => ranks[index], name: (index) => rows[index][ID], score: (index) => rows[index][SCORE],
    standing: (index) => rows[index][STANDING], end: (index) => rows[index][END],
    running: (index) => rows[index][RUNNING], queued: (index) => rows[index][QUEUED],
    memory: (index) => rows[index][MEMORY], ended: (index) => rows[index][ENDED],
    host: (index) => hosts[rows[index][HOST]],
  };
  const STARTS_DOWN = new Set(["score", "running", "queued", "memory", "ended"]);

  const haystack = (index) => {
    if (haystacks[index] === undefined) {
      const row = rows[index];
      const words = [row[ID], row[PATH], row[END], row[DETAIL], standings[row[STANDING]].label, hosts[row[HOST]]];
      haystacks[index] = words.join("\n").toLowerCase();
    }
    return haystacks[index];
  };

  const arrange = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = standing.value === "" ? null : Number(standing.value);
    const isWanted = (index) => (wanted === null || rows[index][STANDING] === wanted)
      && words.every((word) => haystack(index).includes(word));
    const key = KEYS[sort.key];
    const compare = (one, other) => typeof one === "string" ? collator.compare(one, other) : one - other;
    view = [...rows.keys()].filter(isWanted);
    const keys = new Map(view.map((index) => [index, key(index)]));
    view.sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      // What has no value comes last, whatever the direction.
      if (a === null || b === null) return (a === null) - (b === null) || rows[one][STANDING] - rows[other][STANDING] || one - other;
      return (sort.down ? compare(b, a) : compare(a, b)) || one - other;
    });
    const all = `${number.format(rows.length)} candidate${rows.length === 1 ? "" : "s"}`;
    const text = view.length === rows.length ? all : `${number.format(view.length)} of ${all}`;
    if (shown.textContent !== text) shown.textContent = text;
    none.hidden = view.length > 0;
    none.textContent = rows.length > 0 ? "No candidate is like that." : "No candidate has ended yet.";
    table.setAttribute("aria-rowcount", view.length + 1);
    draw(true);
  };

  // ---- Rows in view: a pool of elements between two that hold the place of the rest
  const above = element("tr", "pad"), below = element("tr", "pad");
  for (const pad of [above, below]) {
    pad.setAttribute("aria-hidden", "true");
    pad.append(element("td"));
  }
  const pool = [];
  let first = -1, active = 0;

  const newRow = () => {
    const row = element("tr");
    row.tabIndex = -1;
    const cells = {};
    for (const name of ["rank", "name", "score", "state", "end", "running", "queued", "memory", "ended", "host"]) {
      cells[name] = row.appendChild(element("td", name));
    }
    cells.id = cells.name.appendChild(element("bdi", "id"));
    cells.name.append(" ");
    cells.path = cells.name.appendChild(element("bdi", "path"));
    cells.standing = cells.state.appendChild(element("span"));
    cells.sign = cells.standing.appendChild(element("span", "sign"));
    cells.sign.setAttribute("aria-hidden", "true");
    cells.label = cells.standing.appendChild(document.createTextNode(""));
    cells.machine = cells.host.appendChild(element("bdi"));
    return { row, cells, index: -1 };
  };

  const fill = ({ row, cells }, place) => {
    const index = view[place], it = rows[index], state = standings[it[STANDING]];
    row.setAttribute("aria-rowindex", place + 2);
    row.tabIndex = place === active ? 0 : -1;
    cells.rank.textContent = ranks[index] === null ? "" : number.format(ranks[index]);
    cells.id.textContent = it[ID];
    // The end of its path, which is what differs from the others'.
    cells.path.textContent = it[PATH].split("/").slice(-2).join("/");
    cells.score.textContent = it[SCORE_TEXT];
    cells.standing.className = `standing ${state.class}`;
    cells.sign.textContent = state.sign;
    cells.label.data = ` ${state.label}`;
    cells.end.textContent = it[END];
    cells.running.textContent = it[RUNNING_TEXT];
    cells.queued.textContent = it[QUEUED_TEXT];
    cells.memory.textContent = it[MEMORY_TEXT];
    cells.ended.textContent = it[ENDED_TEXT];
    cells.machine.textContent = hosts[it[HOST]];
  };

  const draw = (anew, count = Math.ceil(scroller.clientHeight / ROW_HEIGHT) + 2 * OVERSCAN, from = null) => {
    count = Math.min(count, view.length);
    active = Math.max(0, Math.min(active, view.length - 1));
    const top = Math.floor(scroller.scrollTop / ROW_HEIGHT) - OVERSCAN;
    const start = from ?? Math.max(0, Math.min(top, view.length - count));
    // Moves by a few rows at a time, so that most scrolling changes nothing.
    if (!anew && Math.abs(start - first) < OVERSCAN / 2 && first + count <= view.length) return;
    const focused = pool.find(({ row }) => row === document.activeElement);
    const focusedPlace = focused?.place;
    while (pool.length < count) {
      const made = newRow();
      pool.push(made);
      below.before(made.row);
    }
    while (pool.length > count) pool.pop().row.remove();
    first = start;
    above.firstChild.style.height = `${start * ROW_HEIGHT}px`;
    below.firstChild.style.height = `${(view.length - start - count) * ROW_HEIGHT}px`;
    pool.forEach((it, offset) => {
      it.place = start + offset;
      fill(it, it.place);
    });
    if (focused) {
      const same = pool.find(({ place }) => place === focusedPlace);
      (same ? same.row : scroller).focus({ preventScroll: true });
    }
  };

  const goTo = (place) => {
    active = Math.max(0, Math.min(place, view.length - 1));
    const top = active * ROW_HEIGHT, room = scroller.clientHeight - ROW_HEIGHT;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + ROW_HEIGHT > scroller.scrollTop + room) scroller.scrollTop = top + ROW_HEIGHT - room;
    draw(true);
    pool.find(({ place: at }) => at === active)?.row.focus({ preventScroll: true });
  };

  // ---- A candidate's details
  const show = (index) => {
    const it = rows[index], list = byId("detail-list"), state = standings[it[STANDING]];
    byId("detail-title").textContent = it[ID];
    list.replaceChildren();
    const add = (name, text, className) => {
      if (text === "" || text === null || text === undefined) return;
      const value = element("dd", className);
      value.append(element("bdi", "", text));
      list.append(element("dt", className, name), value);
    };
    add("Candidate", it[PATH] || it[ID]);
    add("Rank", ranks[index] === null ? "" : `${number.format(ranks[index])} of ${number.format(ranks.filter((one) => one !== null).length)}`);
    add("Score", it[SCORE] === null ? "" : String(it[SCORE]));
    add("Verdict", `${state.sign} ${state.label}`);
    add("How it ended", it[END]);
    add("Message", it[DETAIL]);
    add("Ran", it[RUNNING_TEXT]);
    add("Waited", it[QUEUED_TEXT]);
    add("Peak memory", it[MEMORY_TEXT]);
    if (it[ENDED] !== null) add("Ended", new Date(it[ENDED] * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC");
    add("Machine", hosts[it[HOST]]);
    add("Attempt", it[ATTEMPT]);
    for (const line of it[METRICS].split("\n").filter(Boolean)) {
      const [name, value] = line.split("\t");
      add(name, value || " ", "metric");
    }
    detail.showModal();
  };

  // ---- What a reader does
  const sortBy = (key) => {
    sort.down = sort.key === key ? !sort.down : STARTS_DOWN.has(key);
    sort.key = key;
    for (const head of table.tHead.rows[0].cells) {
      if (head.dataset.key === key) head.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    active = 0;
    scroller.scrollTop = 0;
    arrange();
  };

  for (const head of table.tHead.rows[0].cells) {
    const button = element("button", "", head.textContent);
    button.type = "button";
    button.addEventListener("click", () => sortBy(head.dataset.key));
    head.replaceChildren(button);
  }
  standings.forEach(({ label }, value) => {
    const option = element("option", "", label);
    option.value = value;
    standing.append(option);
  });
  const filter = () => {
    active = 0;
    scroller.scrollTop = 0;
    arrange();
  };
  query.addEventListener("input", filter);
  standing.addEventListener("change", filter);
  byId("filter").addEventListener("submit", (event) => event.preventDefault());

  let isDrawing = false;
  scroller.addEventListener("scroll", () => {
    if (isDrawing) return;
    isDrawing = true;
    requestAnimationFrame(() => { isDrawing = false; draw(false); });
  }, { passive: true });
  new ResizeObserver(() => draw(true)).observe(scroller);

  const placeOf = (node) => pool.find(({ row }) => row.contains(node))?.place;
  body.addEventListener("click", (event) => {
    const place = placeOf(event.target);
    if (place === undefined || !getSelection().isCollapsed) return;
    goTo(place);
    show(view[place]);
  });
  scroller.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("thead")) return;
    const page = Math.max(1, Math.floor(scroller.clientHeight / ROW_HEIGHT) - 2);
    const place = placeOf(event.target);
    const from = place ?? active - (event.key === "ArrowDown" ? 1 : 0);
    const to = { ArrowDown: from + 1, ArrowUp: from - 1, PageDown: from + page, PageUp: from - page, Home: 0, End: view.length - 1 }[event.key];
    if (to !== undefined && view.length > 0) {
      event.preventDefault();
      goTo(to);
    } else if (event.key === "Enter" && place !== undefined) {
      event.preventDefault();
      show(view[place]);
    }
  });
  addEventListener("beforeprint", () => {
    for (const it of document.querySelectorAll("#failures details, #slowest details")) it.open = true;
    draw(true, PRINTED, 0);
  });
  addEventListener("afterprint", () => draw(true));

  // ---- The candidate nearest to the pointer, in the chart of scores
  const tip = element("div", "tip");
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const nearest = (event) => {
    const area = event.target.closest(".score .area");
    if (!area) return null;
    const box = area.getBoundingClientRect(), { x0, x1, y0, y1 } = area.dataset;
    const across = (ended) => (ended - x0) / (x1 - x0) * box.width;
    const down = (score) => (1 - Math.min(1, Math.max(0, (score - y0) / (y1 - y0)))) * box.height;
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let found = null, least = 30 * 30;
    rows.forEach((row, index) => {
      if (row[SCORE] === null || row[ENDED] === null) return;
      const distance = (across(row[ENDED]) - x) ** 2 + (down(row[SCORE]) - y) ** 2;
      if (distance < least) [found, least] = [index, distance];
    });
    return found;
  };
  const progress = byId("progress-body");
  progress.addEventListener("pointermove", (event) => {
    const index = nearest(event);
    tip.hidden = index === null;
    if (index === null) return;
    tip.textContent = `${rows[index][SCORE_TEXT]}  ${rows[index][ID]}`;
    tip.style.left = `${Math.min(event.pageX + 12, document.documentElement.clientWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.pageY + 16}px`;
  });
  progress.addEventListener("pointerleave", () => { tip.hidden = true; });
  progress.addEventListener("click", (event) => {
    const index = nearest(event);
    if (index !== null) show(index);
  });

  // ---- Start: the script takes the rows over
  rank();
  table.setAttribute("role", "grid");
  table.caption.textContent = "Candidates. Arrow keys move between rows, Enter shows one in full.";
  body.replaceChildren(above, below);
  byId("filter").hidden = false;
  arrange();

  // ---- A live page
  const { epoch } = document.documentElement.dataset;
  if (epoch === undefined) return;
  const live = byId("live");
  const PAUSE = 1000, PAUSE_AWAY = 5000;
  let etag = "";

  const say = (text, isAway) => {
    if (live.textContent !== text) live.textContent = text;
    live.classList.toggle("away", isAway);
  };

  // Puts a section in place of the old one, but keeps what is open in it and where the focus is.
  const replace = (id, html) => {
    const old = byId(`${id}-body`), selection = getSelection();
    if (old.made === html) return;
    // Not under the hands of one who reads or copies there: it comes with the next change.
    if (!selection.isCollapsed && old.contains(selection.anchorNode)) return;
    const open = [...old.querySelectorAll("details[open]")].map((it) => it.id);
    const focus = old.contains(document.activeElement) ? document.activeElement.closest("[id]") : null;
    const scrolled = [...old.querySelectorAll("details[open] pre")].map((it) => it.scrollTop);
    old.innerHTML = html;
    old.made = html;
    for (const it of open) byId(it)?.setAttribute("open", "");
    old.querySelectorAll("details[open] pre").forEach((it, at) => { it.scrollTop = scrolled[at] ?? 0; });
    if (focus && focus !== old) byId(focus.id)?.querySelector("summary")?.focus({ preventScroll: true });
  };

  const take = (changes) => {
    hosts = changes.hosts;
    const seen = view[active];
    rows.push(...changes.rows);
    const anchor = document.activeElement?.closest("#rows tbody tr") ? seen : view[Math.floor(scroller.scrollTop / ROW_HEIGHT)];
    const offset = scroller.scrollTop - view.indexOf(anchor) * ROW_HEIGHT;
    const isAtTop = scroller.scrollTop === 0;
    if (changes.rows.length > 0) {
      rank();
      arrange();
      // The same candidates stay in view, and the same one has the focus.
      const place = view.indexOf(anchor);
      if (!isAtTop && place >= 0) scroller.scrollTop = place * ROW_HEIGHT + offset;
      if (seen !== undefined) active = Math.max(0, view.indexOf(seen));
      const hadFocus = pool.some(({ row }) => row === document.activeElement);
      draw(true);
      if (hadFocus) pool.find(({ place: at }) => at === active)?.row.focus({ preventScroll: true });
    }
    for (const [id, html] of changes.sections) replace(id, html);
  };

  const poll = async () => {
    let pause = PAUSE;
    const began = performance.now();
    try {
      const answer = await fetch(`changes?rows=${rows.length}&epoch=${epoch}`, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
      if (answer.status === 409) {
        location.reload();
        return;
      }
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") ?? "";
        take(await answer.json());
      } else if (answer.status !== 304) throw new Error(answer.statusText);
      // What takes long, as for very many candidates, is asked for less often.
      pause = Math.max(PAUSE, 10 * (performance.now() - began));
      say("live", false);
    } catch {
      pause = PAUSE_AWAY;
      say("no longer live: sortie report --watch has ended", true);
    }
    setTimeout(poll, pause);
  };
  setTimeout(poll, PAUSE);
})();
