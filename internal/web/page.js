// Refreshes the page from the status JSON. It writes text into the cells that the
// server has made, in the words of text.go and summary.go; when sources or feeds
// have changed, or the program's version, it loads the page again.
"use strict";
(() => {
  const every = 5000;
  const severity = ["error", "throttled", "catching_up", "ok"];
  const byID = (id) => document.getElementById(id);
  const field = (root, name) => root.querySelector(`[data-field="${name}"]`);

  // Text that stays the same is left alone: a selection in it survives, and a
  // screen reader isn't told of it again.
  const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };

  const clock = (time) => new Date(time).toISOString().slice(0, 19).replace("T", " ");
  const words = (state) => state.replaceAll("_", " ");
  const count = (n) => n.toLocaleString("en-US");
  const two = (a, unitA, b, unitB) => b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`;
  const span = (milliseconds) => {
    const s = Math.max(Math.trunc(milliseconds / 1000), 0), part = (a, b) => Math.trunc(a / b);
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${part(s, 60)} min`;
    if (s < 2 * 86400) return two(part(s, 3600), "h", part(s % 3600, 60), "min");
    return two(part(s, 86400), "d", part(s % 86400, 3600), "h");
  };

  const fill = (cell, ...texts) => {
    [...cell.children].forEach((node, i) => write(node, texts[i] || (i === 0 ? cell.dataset.empty : "")));
  };
  const past = (cell, time, now) => time ? fill(cell, `${span(now - Date.parse(time))} ago`, clock(time)) : fill(cell);
  const coming = (cell, time, now) => {
    if (!time) return fill(cell);
    const left = Date.parse(time) - now;
    fill(cell, left >= 1000 ? `in ${span(left)}` : "due", clock(time));
  };
  const problem = (cell, of, now) => of.last_error
    ? fill(cell, of.last_error, of.advice, of.last_error_at ? `${span(now - Date.parse(of.last_error_at))} ago` : "")
    : fill(cell);
  const state = (root, value) => {
    const node = field(root, "state");
    node.dataset.state = value;
    write(node, words(value));
  };

  const showFeed = (row, feed, now) => {
    state(row, feed.state);
    past(field(row, "watermark"), feed.watermark, now);
    past(field(row, "last_success"), feed.last_success, now);
    write(field(row, "records"), count(feed.records));
    coming(field(row, "next_read"), feed.next_read, now);
    problem(field(row, "problem"), feed, now);
  };
  const showOTLP = (root, otlp, now) => {
    state(root, otlp.state);
    write(field(root, "records"), count(otlp.outbox_records));
    past(field(root, "oldest"), otlp.oldest, now);
    problem(field(root, "problem"), otlp, now);
  };
  const showSummary = (status, feeds) => {
    const states = [...new Set([...severity, ...feeds.map((feed) => feed.state)])]
      .map((name) => [name, feeds.filter((feed) => feed.state === name).length])
      .filter(([, n]) => n > 0);
    const ready = status.ready ? "Ready." : `Not ready: ${(status.not_ready ?? "").replace(/\.$/, "")}.`;
    const parts = states.map(([name, n]) => `${n} ${words(name)}`).join(", ");
    const total = feeds.length === 0 ? "No feeds." : `${feeds.length} feed${feeds.length === 1 ? "" : "s"}: ${parts}.`;
    write(byID("summary-text"), `${ready} ${total}`);
    byID("summary").dataset.state = states[0]?.[0] ?? "";
  };

  const show = (status) => {
    const feeds = status.sources.flatMap((source) => source.feeds.map((feed) => ({ source: source.name, ...feed })));
    const rows = [...document.querySelectorAll("tr[data-feed]")];
    const same = rows.length === feeds.length &&
      rows.every((row, i) => row.dataset.source === feeds[i].source && row.dataset.feed === feeds[i].feed);
    if (!same || status.version !== document.body.dataset.version) return location.reload();
    const now = Date.parse(status.now);
    rows.forEach((row, i) => showFeed(row, feeds[i], now));
    showOTLP(byID("otlp"), status.otlp, now);
    showSummary(status, feeds);
    write(byID("now"), clock(status.now));
    write(byID("live"), "Live, as of");
    document.body.classList.remove("stale");
  };

  const lost = () => {
    write(byID("summary-text"), "Not updating: the exporter doesn't answer.");
    byID("summary").dataset.state = "error";
    write(byID("live"), "Last known, as of");
    document.body.classList.add("stale");
  };

  let paused = false, timer;
  const refresh = async () => {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    try {
      const answer = await fetch("./api/v1/status", { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(answer.statusText);
      const status = await answer.json();
      if (!paused) show(status);
    } catch {
      if (!paused) lost();
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, every);
  };

  const button = byID("pause");
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    write(byID("live"), paused ? "Paused, as of" : "Live, as of");
    refresh();
  });
  document.addEventListener("visibilitychange", refresh);
  write(byID("live"), "Live, as of");
  timer = setTimeout(refresh, every);
})();
