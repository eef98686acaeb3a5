"use strict";
(function () {
  const get = (id) => document.getElementById(id);
  const form = get("filter");
  const items = Array.from(document.querySelectorAll("[data-verdict]"));
  if (!form || !items.length) return;
  form.hidden = false;
  const words = get("f-words"), verdict = get("f-verdict"), mode = get("f-mode"), bad = get("f-bad"), on = get("f-on");
  function apply() {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = Boolean(wanted.length || verdict.value || mode.value || bad.checked || on.checked);
    let shown = 0, all = 0;
    for (const item of items) {
      const d = item.dataset;
      const fits = (!verdict.value || d.verdict === verdict.value) && (!mode.value || d.mode === mode.value)
        && (!bad.checked || d.holds === "0") && (!on.checked || d.control === "0")
        && wanted.every((word) => d.words.includes(word));
      item.hidden = !fits;
      if (item.matches("article")) { all += 1; shown += fits ? 1 : 0; }
    }
    for (const row of document.querySelectorAll("#matrix tbody tr")) {
      row.hidden = active && !row.querySelector("[data-verdict]:not([hidden])");
    }
    for (const section of document.querySelectorAll("section.scenario")) {
      section.hidden = active && !section.querySelector("article.claim:not([hidden])");
    }
    for (const table of document.querySelectorAll("table.verdicts")) table.classList.toggle("filtered", active);
    get("f-count").textContent = active ? shown + " of " + all : "";
  }
  function reveal() {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* a lone % is part of no name */ }
    const target = name ? get(name) : null;
    if (!target) return;
    if (target.closest("[hidden]")) {
      form.reset();
      apply();
    }
    const shot = target.querySelector(":scope > .shots > details.shot");
    if (shot) shot.open = true;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  }
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", reveal);
  apply();
  reveal();
})();
