// Keeps the page live: every few seconds it asks the server for the same page and
// takes over what has changed, node by node, so that focus, selection, scrolling and
// opened details stay. It writes no markup of its own and knows no text but its own few.
"use strict";
(() => {
  const every = 5000, patience = 10000;
  const byID = (id) => document.getElementById(id);

  // What is the user's own, or the script's.
  const own = new Set(["open", "data-local"]);
  const kept = (node) => node.nodeType === Node.ELEMENT_NODE && node.hasAttribute("data-keep");
  const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.dataset.field || node.id : "";
  const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

  const takeAttributes = (old, now) => {
    for (const { name } of [...old.attributes]) {
      if (!own.has(name) && !now.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (!own.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  };

  // Makes a node like another one. It doesn't touch an unchanged text, which a screen reader would
  // announce again.
  const take = (old, now) => {
    if (kept(old)) return;
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== now.nodeValue) old.nodeValue = now.nodeValue;
      return;
    }
    takeAttributes(old, now);
    let next = old.firstChild;
    for (const wanted of now.childNodes) {
      let found = next; // what has a name may have moved up; all else is only where it was
      while (found && !alike(found, wanted)) found = keyOf(wanted) ? found.nextSibling : null;
      if (!found) {
        old.insertBefore(document.importNode(wanted, true), next);
        continue;
      }
      while (next !== found) {
        const gone = next;
        next = next.nextSibling;
        gone.remove();
      }
      next = found.nextSibling;
      take(found, wanted);
    }
    while (next) {
      const gone = next;
      next = next.nextSibling;
      gone.remove();
    }
  };

  const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  let paused = false, timer, request;

  // Times are in UTC; the local one is put beside them, by the style sheet, where it differs.
  const addLocalTimes = () => {
    for (const node of document.querySelectorAll("time")) {
      const at = new Date(node.dateTime);
      if (at.getTimezoneOffset() === 0) continue;
      const elsewhere = at.getUTCDate() === at.getDate() ? {} : { weekday: "short" };
      node.dataset.local = at.toLocaleTimeString([], { ...elsewhere, hour: "2-digit", minute: "2-digit" }) + " local";
    }
  };

  const show = (page) => {
    if (page.body.dataset.version !== document.body.dataset.version) return location.reload();
    take(document.querySelector("main"), page.querySelector("main"));
    byID("now").replaceChildren(document.importNode(page.getElementById("now").firstChild, true));
    addLocalTimes();
    write(byID("live"), paused ? "Paused, as of" : "Live, as of");
    document.body.classList.remove("stale");
  };

  const lost = () => {
    write(byID("verdict-text"), "Not updating: the exporter doesn't answer.");
    byID("verdict").dataset.level = "bad";
    write(byID("live"), "Last known, as of");
    document.body.classList.add("stale");
  };

  // Reads the page as a document in which nothing runs. Only the last request counts.
  const stop = () => {
    const old = request;
    request = undefined;
    clearTimeout(timer);
    old?.abort();
  };
  const refresh = () => {
    stop();
    const asked = request = new XMLHttpRequest();
    asked.open("GET", location.pathname);
    asked.responseType = "document";
    asked.timeout = patience;
    asked.onloadend = () => {
      if (asked !== request) return;
      request = undefined;
      const page = asked.status === 200 ? asked.response : null;
      if (page?.getElementById("verdict-text")) show(page); else lost();
      if (!paused && !document.hidden) timer = setTimeout(refresh, every);
    };
    asked.send();
  };

  const button = byID("pause");
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    if (!paused) return refresh();
    stop();
    write(byID("live"), "Paused, as of");
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop(); else if (!paused) refresh();
  });
  document.documentElement.classList.add("live");
  write(byID("live"), "Live, as of");
  addLocalTimes();
  timer = setTimeout(refresh, every);
})();
