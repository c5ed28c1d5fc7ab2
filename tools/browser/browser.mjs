// A Chromium that is watched: it keeps each request of a page to another host and each error.
// CDR_BROWSER names the folder in which npm has put playwright-core and axe-core,
// CDR_CHROMIUM the browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.CDR_BROWSER, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const flags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

// How long anything may take, in milliseconds: tests of other packages may have the cores.
const patience = 90000;

export class Browser {
  constructor(base, folder) {
    this.base = base;
    this.folder = folder;
    this.complaints = [];
    this.steps = 0;
  }

  async start() {
    this.chromium = await chromium.launch({ executablePath: process.env.CDR_CHROMIUM, args: flags, timeout: patience });
  }

  async stop() {
    await this.chromium.close();
  }

  // A page in a separate context. It must be closed with close.
  async open(address = "./", options = {}) {
    const context = await this.chromium.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light", locale: "en-GB", ...options });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    const origin = new URL(this.base).origin;
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) this.complaints.push(`asked of elsewhere: ${request.url()}`);
    });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(`console of ${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`error of ${page.url()}: ${error}`));
    await page.clock.install(); // so that a check needn't wait for the page's timers
    await page.goto(new URL(address, this.base).href);
    return page;
  }

  async close(page) {
    await page.context().close();
  }

  // One thing that is checked. Nothing may be complained of meanwhile.
  async step(name, check) {
    const began = performance.now();
    try {
      await check();
      assert.deepEqual(this.complaints, []);
    } catch (error) {
      error.message = `${name}: ${error.message}`;
      throw error;
    }
    this.steps++;
    console.log(`ok: ${name} (${Math.round(performance.now() - began)} ms)`);
  }

  async screenshot(page, name, options = {}) {
    await page.screenshot({ path: path.join(this.folder, `${name}.png`), fullPage: true, ...options });
  }

  // What axe finds that keeps people from using the page.
  async accessible(page, what) {
    if (!await page.evaluate(() => "axe" in window)) await page.evaluate(axe);
    const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    assert.ok(passes.length > 20, `axe checked only ${passes.length} rules`);
    const found = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
    for (const line of found) console.log(`axe, ${what}: ${line}`);
    assert.deepEqual(found.filter((line) => /^(serious|critical) /.test(line)), []);
  }
}

// What has the focus, in a few words.
export const focused = (page) => page.evaluate(() => {
  const node = document.activeElement;
  const name = node.getAttribute("name") ?? node.id ?? "";
  return node.nodeName === "A" || node.nodeName === "SUMMARY" || node.nodeName === "BUTTON"
    ? node.textContent.trim() : name || node.className || node.nodeName;
});

// Marks the page, so that loading it again can be seen.
export const mark = (page) => page.evaluate(() => { window.marked = true; });
export const stayed = async (page) => assert.equal(await page.evaluate(() => window.marked), true, "the page was loaded again");
