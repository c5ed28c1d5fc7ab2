// Checks the status page in a real browser: node page.mjs ADDRESS DEMO STORIES [FOLDER]
// The page at the address has every state, that of the demo real data. Both have several feeds, into which calls come all the time.
// STORIES is the index of the storybook, whose screenshots go to the folder, if one is named.
import assert from "node:assert/strict";
import { checkStory, openStories, storiesOf } from "./stories.mjs";
import { Browser, focused, mark, stayed } from "./browser.mjs";

const [base, demo, stories, folder] = process.argv.slice(2);
const browser = new Browser(base, folder);
const interval = 5000; // of updates, on the page's clock

const rows = (page) => page.locator("tr[data-feed]").evaluateAll((all) => all.map((row) => `${row.dataset.source} ${row.dataset.feed}`));
const trunks = (page) => page.locator("tr[data-trunk]").count();
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
    assert.ok(await trunks(page) >= 1, "no trunk");
    assert.match(await page.locator("#verdict-text").textContent(), /^(Calls|Some calls|Can't tell) .+\.$/);
    assert.doesNotMatch(await page.locator("main").textContent(), /Ready/);
    assert.match(await page.locator("#now").textContent(), / UTC$/);
    assert.equal(await page.locator("time[data-local]").count(), 0);
    assert.equal(await page.locator("#live").textContent(), "As of");
    await page.getByText("reload to update").waitFor();
    assert.equal(await page.locator("#pause").isVisible(), false);
    await page.locator("summary", { hasText: "Data" }).first().click();
    await page.locator("figure table").first().waitFor();
    await browser.close(page);
  },

  "it lives, and keeps what the reader does": async () => {
    const page = await browser.open("./", { viewport: { width: 1000, height: 500 } });
    await mark(page);
    await page.locator("#live", { hasText: "Live" }).waitFor();
    await page.locator("summary", { hasText: "Data" }).first().click();
    await page.locator("summary", { hasText: "Data" }).first().focus();
    await page.evaluate(() => { document.querySelector(".scroll").scrollLeft = 60; window.scrollTo(0, 400); });
    // A trunk of the demo that begins to fail, or ceases to, moves what is below it, and the browser scrolls along.
    const down = (y) => browser.base === demo ? y > 0 : Math.round(y);
    const at = async () => [await page.locator(".scroll").first().evaluate((node) => node.scrollLeft), down(await page.evaluate(() => window.scrollY))].join();
    const before = await at(), had = await focused(page);
    const records = () => page.locator('[data-field="records"]').allTextContents().then(String);
    await changes(page, records, "the number of records");
    await changes(page, () => page.locator("#now").textContent(), "the clock");
    assert.equal(await at(), before, "it scrolled");
    assert.equal(await focused(page), had, "the focus went");
    assert.equal(await page.locator("details", { has: page.locator("table") }).first().evaluate((node) => node.open), true, "the details closed");
    await stayed(page);
    await browser.close(page);
  },

  "it shows local times beside UTC": async () => {
    const page = await browser.open("./", { timezoneId: "Asia/Kolkata" });
    await mark(page);
    await page.locator("#live", { hasText: "Live" }).waitFor();
    const right = async () => {
      for (const [stamp, text, local] of await page.locator("time").evaluateAll((all) => all.map((t) => [t.dateTime, t.textContent, t.dataset.local]))) {
        assert.ok(text.includes(stamp.slice(11, 16)) && text.endsWith(" UTC"), `${text} for ${stamp}`);
        const there = new Date(Date.parse(stamp) + 5.5 * 3600_000).toISOString().slice(11, 16);
        assert.ok(local.endsWith(`${there} local`), `${local} for ${stamp}`);
      }
    };
    await right();
    await changes(page, () => page.locator("time").evaluateAll((all) => all.map((t) => t.dateTime).join()), "each time");
    await right();
    await stayed(page);
    await browser.close(page);
  },

  "on a phone each row is a card": async () => {
    const page = await browser.open("./", { viewport: { width: 390, height: 844 } });
    await page.locator("#live", { hasText: "Live" }).waitFor();
    for (const row of await page.locator(".cards tbody tr").all()) {
      const { x, width } = await row.boundingBox();
      assert.ok(x >= 0 && x + width <= 390, "a card is wider than the phone");
      for (const remedy of await row.locator(".advice, .what").all()) {
        const box = await remedy.boundingBox();
        assert.ok(box.width > 0 && box.x + box.width <= 390, "what to do isn't on the screen");
      }
    }
    for (const row of await page.locator('.cards tr[data-level="ok"]').all()) {
      assert.ok((await row.boundingBox()).height < 110, "a trunk that works takes more than a few lines");
    }
    const figure = await page.locator("figure").first().boundingBox();
    const chart = page.locator("figure svg").first();
    assert.equal(await chart.evaluate((node) => getComputedStyle(node).overflow), "visible", "the chart's axis may be cut off");
    for (const label of await chart.locator("text").all()) {
      const { x, width } = await label.boundingBox();
      assert.ok(x >= figure.x && x + width <= figure.x + figure.width, "a label of the chart is outside of its card");
    }
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
    assert.equal(await page.locator("#verdict").getAttribute("data-level"), "bad");
    assert.equal(await page.locator("#store").evaluate((node) => getComputedStyle(node).transitionDuration), "0s");
    await page.unroute("**/*");
    await page.clock.runFor(interval);
    await page.locator("#verdict-text", { hasText: /^(Calls|Some calls|Can't tell)/ }).waitFor();
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
      "Skip to the trunks", "Metrics", "Status as JSON", "Health", "Readiness", "Pause updates", "scroll", "Data",
    ];
    await page.mouse.click(2, 2);
    for (const want of order) {
      do await page.keyboard.press("Tab");
      while ((await focused(page)).startsWith("Which calls")); // the commands of what fails now
      assert.equal(await focused(page), want);
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(outline, "none", `nobody sees that ${want} has the focus`);
    }
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "data");
    await page.getByRole("link", { name: "Skip to the trunks" }).focus();
    await page.keyboard.press("Enter");
    assert.equal(await focused(page), "trunks");
    await browser.close(page);
  },

  "it says what it is": async () => {
    const page = await browser.open();
    for (const [role, name] of [
      ["banner"], ["main"], ["navigation", "Endpoints"], ["heading", "cdr-exporter"], ["heading", "Trunks"],
      ["heading", "Calls in the last 24 hours"], ["heading", "Feeds"], ["heading", "Ledger and delivery"],
    ]) await page.getByRole(role, { name, exact: true }).first().waitFor();
    for (const name of ["Trunk", "Now", "Failed", "Most frequent failure and what to do", "Last call", "Feed", "State", "Error and what to do"]) {
      await page.getByRole("columnheader", { name, exact: true }).waitFor();
    }
    await page.getByRole("figure", { name: /Calls started: / }).waitFor();
    await page.getByRole("img", { name: /Calls started: / }).waitFor();
    assert.equal(await page.getByRole("img", { name: /^\d+ attempts: \d+ connected/ }).count(), await trunks(page));
    await browser.close(page);
  },

  "nothing keeps anybody out": async () => {
    for (const [name, options] of Object.entries({
      light: {}, contrast: { forcedColors: "active", viewport: { width: 390, height: 844 } },
      "dark-phone": { colorScheme: "dark", viewport: { width: 320, height: 640 } },
    })) {
      const page = await browser.open("./", options);
      await page.locator("#live", { hasText: "Live" }).waitFor();
      await page.getByRole("button", { name: "Pause updates" }).click(); // so that nothing goes away while axe looks at it
      await page.locator("summary", { hasText: "Data" }).first().click();
      await browser.accessible(page, name);
      const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide[0] <= wide[1], `${name}: the page is ${wide[0]} wide on ${wide[1]}`);
      await browser.close(page);
    }
  },

  "it is light and dark": async () => {
    const page = await browser.open();
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
  browser.base = stories;
  const lanes = await Promise.all([openStories(browser), openStories(browser)]);
  const names = await storiesOf(lanes[0]);
  let turn = 0;
  await Promise.all(lanes.map(async (page) => {
    for (let name = names.shift(); name; name = names.shift()) await browser.step(`story: ${name}`, () => checkStory(browser, page, name, turn++));
    await browser.close(page);
  }));
} finally {
  await browser.stop();
}
