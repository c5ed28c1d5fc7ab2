// Takes pictures: node shoot.mjs FOLDER '[{"name", "address", "scheme", "until"}, ...]'
// A page that asks of elsewhere or complains gives no picture.
import assert from "node:assert/strict";
import { Browser } from "../browser/browser.mjs";

const [folder, shots] = process.argv.slice(2);

for (const { name, address, scheme, until } of JSON.parse(shots)) {
  const browser = new Browser(address, folder);
  await browser.start();
  try {
    const page = await browser.open("", { colorScheme: scheme, viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
    const live = page.locator("#live"); // of the status page
    if (await live.count()) await live.filter({ hasText: "Live" }).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 1440, `${name} is ${wide} wide`);
    if (until) {
      await page.evaluate((title) => {
        const row = [...document.querySelectorAll("h2")].find((node) => node.textContent === title);
        const main = document.querySelector("main");
        main.style.height = `${row.offsetTop}px`;
        main.style.overflow = "hidden";
      }, until);
    }
    await browser.screenshot(page, name);
    assert.deepEqual(browser.complaints, []);
  } finally {
    await browser.stop();
  }
}
