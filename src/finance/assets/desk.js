// Keys, selection and live totals. Every page works without this file: it only saves hands and waiting.
"use strict";
(() => {
  const all = (css, root = document) => Array.from(root.querySelectorAll(css));
  const one = (css, root = document) => root.querySelector(css);
  const rows = () => all("[data-row]");
  const seen = (el) => el && el.offsetParent !== null;

  // --- the row that keys act on ---------------------------------------------------------------------------------
  let at = Math.max(0, rows().findIndex((row) => row.getAttribute("aria-current") === "true"));
  const keep = "place:" + location.pathname;
  const stay = () => {
    const kept = JSON.parse(sessionStorage.getItem(keep) || "null");
    const acted = sessionStorage.getItem("acted");
    sessionStorage.removeItem("acted");
    // On another page than the one that was acted on, such as the next break's: its own row is the place.
    if (!kept) { if (acted && rows()[at] && rows()[at].getAttribute("aria-current") === "true") show(false); return; }
    sessionStorage.removeItem(keep);
    // The row that was acted on may be gone: then the next one stands in its place.
    const found = rows().findIndex((row) => row.dataset.row === kept.row);
    at = found >= 0 ? found : Math.min(kept.at, Math.max(0, rows().length - 1));
    show(false);
    window.scrollTo(0, kept.y);
  };
  const note = () => {
    const row = rows()[at];
    sessionStorage.setItem(keep, JSON.stringify({ row: row ? row.dataset.row : "", at, y: window.scrollY }));
    sessionStorage.setItem("acted", "1");
  };
  function show(scroll = true) {
    // From now on the row that keys act on is seen; before that it would look like a choice that nobody made.
    document.documentElement.classList.add("by-keys");
    rows().forEach((row, n) => row.classList.toggle("here", n === at));
    const row = rows()[at];
    if (!row) return;
    // A link, not a box: Enter on a box would send the form around it.
    const target = row.matches("a") ? row : one("a[data-open]", row) || one("a", row) || one("input", row) || row;
    target.focus({ preventScroll: true });
    if (scroll) row.scrollIntoView({ block: "nearest" });
  }
  const move = (by) => {
    const last = rows().length - 1;
    if (last < 0) return;
    const next = at + by;
    const page = one(next > last ? "a[rel=next]" : next < 0 ? "a[rel=prev]" : "nothing-here");
    if (page) { page.click(); return; }
    at = Math.min(last, Math.max(0, next));
    show();
  };
  const open = () => {
    const row = rows()[at];
    const link = row && (row.matches("a") ? row : one("a[data-open], a", row));
    if (link) { note(); link.click(); }
  };

  // --- selection, with its sum ------------------------------------------------------------------------------------
  const boxes = () => all("input[type=checkbox][data-dong]");
  const grouped = (n) => {
    const vi = document.documentElement.lang !== "en";
    const text = n.toString().replace(/^-/, "").replace(/\B(?=(\d{3})+$)/g, vi ? "." : ",");
    return (n < 0n ? "-" : "") + (vi ? text + "\u00a0₫" : "₫" + text);
  };
  const total = () => {
    const chosen = boxes().filter((box) => box.checked);
    boxes().forEach((box) => { const row = box.closest("[data-row]"); if (row) row.classList.toggle("chosen", box.checked); });
    const sum = chosen.reduce((sum, box) => sum + BigInt(box.dataset.dong), 0n);
    all("[data-chosen-count]").forEach((el) => { el.textContent = chosen.length.toString(); });
    all("[data-chosen-sum]").forEach((el) => { el.textContent = grouped(sum); });
    all("[data-needs-choice]").forEach((el) => { el.disabled = chosen.length === 0; });
    const every = one("input[data-every]");
    if (every) {
      every.checked = chosen.length > 0 && chosen.length === boxes().length;
      every.indeterminate = chosen.length > 0 && !every.checked;
    }
  };
  let last = -1;
  const choose = (range) => {
    const list = boxes();
    const row = rows()[at];
    const box = row && one("input[type=checkbox][data-dong]", row);
    if (!box) return;
    const here = list.indexOf(box);
    if (range && last >= 0) {
      const [from, to] = here < last ? [here, last] : [last, here];
      list.slice(from, to + 1).forEach((each) => { each.checked = true; });
    } else {
      box.checked = !box.checked;
    }
    last = here;
    total();
  };

  // --- money that is shared out, with the rest -------------------------------------------------------------------
  // As the gateway reads it: a point or a comma stands between thousands and nowhere else.
  const whole = (text) => {
    const bare = text.replace(/[₫đ]/g, "").trim();
    return /^-?(\d+|\d{1,3}([., \u00a0]\d{3})+)$/.test(bare) ? BigInt(bare.replace(/[., \u00a0]/g, "")) : 0n;
  };
  const rest = () => all("form[data-whole]").forEach((form) => {
    const shared = all("input[data-share]", form).reduce((sum, input) => sum + whole(input.value), 0n);
    const left = BigInt(form.dataset.whole) - shared;
    all("[data-rest]", form).forEach((el) => {
      el.textContent = grouped(left);
      el.classList.toggle("bad", left < 0n);
    });
  });
  const oldest = (form) => {
    let left = BigInt(form.dataset.whole);
    all("input[data-share]", form).forEach((input) => {
      const owed = BigInt(input.dataset.share || "0");
      const part = owed <= 0n ? 0n : left < owed ? left : owed;
      input.value = part > 0n ? part.toString() : "";
      left -= part;
    });
    rest();
  };

  const help = () => { const keys = one("#keys"); if (keys) keys.showModal(); };

  // --- keys -------------------------------------------------------------------------------------------------------
  const press = (key) => {
    const el = all("[data-key]").find((el) => el.dataset.key === key && !el.disabled && seen(el));
    if (!el) return false;
    note();
    if (el.matches("input:not([type=checkbox]), textarea, select")) { el.focus(); if (el.select) el.select(); }
    else if (el.matches("details")) { el.open = true; const field = one("textarea, input:not([type=hidden]), select, button", el); if (field) field.focus(); }
    // What two people decide is not decided by one key: it only goes to the button, and Enter presses it.
    else if (el.matches("button.primary") && el.form && el.form.method === "post") el.focus();
    else el.click();
    return true;
  };
  const writing = (el) => el && el.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.metaKey) return;
    if (event.ctrlKey && event.key === "Enter") {
      const form = event.target.form || one("form[data-apply]");
      const button = form && (one("button[data-apply]", form) || one("button.primary, button:not([type=button])", form));
      if (button && !button.disabled) { event.preventDefault(); note(); button.click(); }
      return;
    }
    if (event.ctrlKey) return;
    if (event.key === "Escape" && writing(event.target)) { event.target.blur(); show(false); return; }
    if (writing(event.target) || one("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const acts = {
      j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
      x: () => choose(event.shiftKey),
      "?": help,
    };
    if (key === "Enter") {
      const box = event.target.matches("input[type=checkbox]");
      if (box || event.target === document.body || event.target.matches("[data-row], main")) { event.preventDefault(); open(); }
      return;
    }
    if (acts[key] && (rows().length || key === "?")) { event.preventDefault(); acts[key](); return; }
    if (/^[a-z/]$/.test(key) && press(key)) event.preventDefault();
  });

  // --- wiring -------------------------------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    const el = event.target;
    if (el.matches("input[data-every]")) boxes().forEach((box) => { box.checked = el.checked; });
    if (el.matches("input[type=checkbox]")) total();
    if (el.matches("select[data-send]")) el.form.requestSubmit();
  });
  document.addEventListener("input", (event) => { if (event.target.matches("input[data-share]")) rest(); });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) { help(); return; }
    const fill = event.target.closest("[data-oldest]");
    if (fill) { oldest(fill.form); return; }
    const part = event.target.closest("[data-put]");
    if (part) { const into = document.getElementById(part.dataset.put); if (into) { into.value = part.dataset.dong; rest(); } return; }
    if (event.target.closest("[data-print]")) { window.print(); return; }
    const row = event.target.closest("tr[data-place]");
    if (row && !event.target.closest("a, button, input, label, select, summary")) { at = rows().indexOf(row); note(); location.href = row.dataset.place; }
  });
  // A form is sent once: a second click would be a second proposal.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    // Who logs out leaves no place to whoever comes next.
    if (event.target.closest("main")) note(); else sessionStorage.clear();
  });
  window.addEventListener("pageshow", () => all("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));

  // Long work: the page asks how far it is, and loads again when it is over.
  const long = one("[data-progress]");
  if (long) {
    const look = async () => {
      const answer = await fetch(long.dataset.progress, { headers: { accept: "application/json" } }).catch(() => null);
      const told = answer && answer.ok ? await answer.json() : null;
      if (told && told.over) { location.reload(); return; }
      if (answer && answer.status === 404) { location.reload(); return; }
      if (told && told.of) { const bar = one("progress", long); if (bar) { bar.max = told.of; bar.value = told.at; } }
      window.setTimeout(look, 700);
    };
    window.setTimeout(look, 700);
  }
  // Its keys are of use with this file alone.
  all("[data-help]").forEach((el) => { el.hidden = false; });
  total();
  rest();
  stay();
  if (rows().length && !one("main [autofocus]")) rows().forEach((row, n) => row.classList.toggle("here", n === at));
})();
