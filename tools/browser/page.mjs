// Checks the status page in a real browser: node page.mjs ADDRESS DEMO FOLDER
// The page at the address has every state, that of the demo real data. Both have several feeds, into which calls come all the time.
import assert from "node:assert/strict";
import { Browser, focused, mark, stayed } from "./browser.mjs";

const [base, demo, folder] = process.argv.slice(2);
const browser = new Browser(base, folder);
const interval = 5000; // of updates, on the page's clock

const rows = (page) => page.locator("tr[data-feed]").evaluateAll((all) => all.map((row) => `${row.dataset.source} ${row.dataset.feed}`));
const charts = (page) => page.locator("figure h3").allTextContents();
const fill = (page, selector) => page.locator(selector).first().evaluate((node) => getComputedStyle(node).fill);

// Waits until what is read is another.
const changes = async (page, read, what) => {
  const before = await read();
  for (let i = 0; i < 150; i++) {
    await page.clock.runFor(interval);
    const now = await read();
    if (now !== before) return now;
    await page.waitForTimeout(50);
  }
  assert.fail(`${what} is still ${before}`);
};

const checks = {
  "it is whole without script": async () => {
    const page = await browser.open("./", { javaScriptEnabled: false });
    const all = await rows(page);
    assert.ok(all.length >= 2, `${all.length} feeds`);
    assert.ok((await charts(page)).length >= 1, "no chart");
    assert.match(await page.locator("#summary-text").textContent(), /^(Ready|Not ready).* feeds: /);
    assert.equal(await page.locator("#live").textContent(), "As of");
    await page.getByText("reload to update").waitFor();
    assert.equal(await page.locator("#pause").isVisible(), false);

    const source = all[0].split(" ")[0];
    await page.getByRole("combobox", { name: "Source", exact: true }).selectOption(source);
    await page.getByRole("button", { name: "Apply" }).click();
    await page.waitForURL((url) => url.searchParams.get("source") === source);
    assert.deepEqual(await rows(page), all.filter((row) => row.startsWith(`${source} `)));
    await page.getByRole("combobox", { name: "Charts", exact: true }).selectOption("24h");
    await page.getByRole("button", { name: "Apply" }).click();
    await page.waitForURL((url) => url.searchParams.get("span") === "24h" && url.searchParams.get("source") === source);
    await page.getByRole("heading", { name: "Calls in the last 24 h" }).waitFor();
    await page.getByRole("link", { name: "Show all" }).click();
    await page.waitForURL((url) => url.searchParams.get("span") === "24h" && !url.searchParams.has("source"));
    assert.deepEqual(await rows(page), all);
    await page.getByRole("heading", { name: "Calls in the last 24 h" }).waitFor();
    await page.locator("summary").first().click();
    await page.locator("figure table").first().waitFor();
    await browser.screenshot(page, "without-script");
    await browser.close(page);
  },

  "it lives, and keeps what the reader does": async () => {
    const page = await browser.open("./?span=24h", { viewport: { width: 1000, height: 500 } });
    await mark(page);
    await page.locator("#live", { hasText: "Live" }).waitFor();
    await page.locator("summary").first().click();
    await page.locator("summary").first().focus();
    await page.evaluate(() => { document.querySelector(".scroll").scrollLeft = 60; window.scrollTo(0, 400); });
    const at = () => page.evaluate(() => [document.querySelector(".scroll").scrollLeft, Math.round(window.scrollY)].join());
    const before = await at(), had = await focused(page), seen = await charts(page);
    const records = () => page.locator('[data-field="records"]').allTextContents().then(String);
    await changes(page, records, "the number of records");
    await changes(page, () => page.locator("#now").textContent(), "the clock");
    assert.equal(await at(), before, "it scrolled");
    assert.equal(await focused(page), had, "the focus went");
    assert.equal(await page.locator("details").first().evaluate((node) => node.open), true, "the details closed");
    assert.deepEqual((await charts(page)).filter((name) => seen.includes(name)), seen, "a chart went");
    await stayed(page);
    await browser.close(page);
  },

  "it filters at once": async () => {
    const page = await browser.open();
    await mark(page);
    const all = await rows(page), [source, feed] = all[all.length - 1].split(" ");
    const only = all.filter((row) => row === `${source} ${feed}`);
    await page.getByRole("combobox", { name: "Source", exact: true }).selectOption(source);
    await page.getByRole("combobox", { name: "Feed", exact: true }).selectOption(feed);
    await page.locator("#shown", { hasText: `1 of ${all.length} feeds shown.` }).waitFor();
    assert.deepEqual(await rows(page), only);
    assert.equal(new URL(page.url()).search, `?source=${source}&feed=${feed}`);
    assert.equal(await page.getByRole("button", { name: "Apply" }).isVisible(), false);
    await page.goBack();
    await page.locator("#shown", { hasText: "feeds shown" }).waitFor();
    await page.waitForFunction(() => document.querySelector("[name=feed]").value === "");
    await page.getByRole("link", { name: "Show all" }).click();
    await page.waitForFunction((n) => document.querySelectorAll("tr[data-feed]").length === n, all.length);
    assert.equal(await focused(page), "source", "the focus is lost with the link");
    assert.equal(await page.locator("#shown").textContent(), "");
    await stayed(page);
    await browser.close(page);
  },

  "it switches the span": async () => {
    const page = await browser.open();
    await mark(page);
    for (const [value, name, text] of [["1h", "1 h", "5 min"], ["12h", "12 h", "10 min"], ["24h", "24 h", "15 min"], ["", "3 h", "5 min"]]) {
      await page.getByRole("combobox", { name: "Charts", exact: true }).selectOption(value);
      await page.getByRole("heading", { name: `Calls in the last ${name}` }).waitFor();
      await page.getByText(`one bar per ${text}.`).waitFor();
    }
    assert.equal(new URL(page.url()).search, "");
    await stayed(page);
    await browser.close(page);
  },

  "it can be paused, and says when the exporter is gone": async () => {
    const page = await browser.open("./", { reducedMotion: "reduce" });
    await mark(page);
    await page.getByRole("button", { name: "Pause updates" }).click();
    await page.locator("#live", { hasText: "Paused" }).waitFor();
    const asked = [];
    page.on("request", (request) => { if (request.resourceType() === "xhr") asked.push(request.url()); });
    await page.clock.runFor(2 * interval);
    assert.deepEqual(asked, [], "it asks while it is paused");
    await page.getByRole("button", { name: "Pause updates", pressed: true }).click();
    await page.locator("#live", { hasText: "Live" }).waitFor();

    await page.route("**/*", (route) => route.abort());
    await page.clock.runFor(interval);
    await page.getByText("Not updating: the exporter doesn't answer.").waitFor();
    assert.equal(await page.locator("#summary").getAttribute("data-state"), "error");
    assert.equal(await page.locator("#charts").evaluate((node) => getComputedStyle(node).transitionDuration), "0s");
    await page.unroute("**/*");
    await page.clock.runFor(interval);
    await page.locator("#summary-text", { hasText: /^(Ready|Not ready)/ }).waitFor();
    assert.equal(await page.evaluate(() => document.body.className), "");
    await stayed(page);
    await browser.close(page);
    browser.complaints = browser.complaints.filter((text) => !text.includes("ERR_FAILED")); // of the routes that were cut
  },

  "it can be used with the keyboard": async () => {
    const page = await browser.open();
    await page.locator("#live", { hasText: "Live" }).waitFor();
    await page.getByRole("button", { name: "Pause updates" }).click(); // so that nothing moves
    await page.evaluate(() => document.activeElement.blur());
    const order = [
      "Skip to the feeds", "Metrics", "Status as JSON", "Health", "Readiness", "Pause updates",
      "source", "feed", "state", "span", "scroll",
    ];
    await page.mouse.click(2, 2);
    for (const want of order) {
      await page.keyboard.press("Tab");
      assert.equal(await focused(page), want);
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, "none", `nobody sees that ${want} has the focus`);
    }
    await page.keyboard.press("Tab");
    assert.match(await focused(page), /^Data of /);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "data");
    await page.getByRole("link", { name: "Skip to the feeds" }).focus();
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "feeds");
    await browser.close(page);
  },

  "it says what it is": async () => {
    const page = await browser.open("./?span=24h");
    for (const [role, name] of [
      ["banner"], ["main"], ["navigation", "Endpoints"], ["search", "Filter feeds"],
      ["heading", "cdr-exporter"], ["heading", "Feeds"], ["heading", "Ledger and delivery"],
    ]) await page.getByRole(role, { name, exact: true }).first().waitFor();
    for (const name of ["Source", "Feed", "State", "Read up to", "Newest call", "Last success", "Records", "Next read", "Last error and what to do"]) {
      await page.getByRole("columnheader", { name, exact: true }).waitFor();
    }
    const title = (await charts(page))[0];
    await page.getByRole("img", { name: new RegExp(`^${title} .*calls? started in the last 24 h`) }).waitFor();
    await page.getByRole("figure", { name: title }).waitFor();
    await browser.close(page);
  },

  "nothing keeps anybody out": async () => {
    for (const [name, options] of Object.entries({
      light: {}, contrast: { forcedColors: "active", viewport: { width: 390, height: 844 } },
      "dark-phone": { colorScheme: "dark", viewport: { width: 320, height: 640 } },
    })) {
      const page = await browser.open("./?span=24h", options);
      await page.locator("#live", { hasText: "Live" }).waitFor();
      await browser.screenshot(page, name);
      await page.getByRole("button", { name: "Pause updates" }).click(); // so that nothing goes away while axe looks at it
      await page.locator("summary").first().click();
      await browser.accessible(page, name);
      const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide[0] <= wide[1], `${name}: the page is ${wide[0]} wide on ${wide[1]}`);
      await browser.close(page);
    }
  },

  "it is light and dark": async () => {
    const page = await browser.open("./?span=24h");
    const look = async () => [
      await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
      await page.evaluate(() => getComputedStyle(document.body).color),
      await fill(page, "rect.calls"), await fill(page, "svg text"),
    ];
    const light = await look();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await look();
    light.forEach((colour, i) => assert.notEqual(colour, dark[i]));
    await browser.close(page);
  },
};

await browser.start();
try {
  for (const [name, check] of Object.entries(checks)) await browser.step(name, check);
  browser.base = demo;
  for (const name of ["it is whole without script", "it lives, and keeps what the reader does", "it says what it is"]) {
    await browser.step(`demo: ${name}`, checks[name]);
  }
} finally {
  await browser.stop();
}
