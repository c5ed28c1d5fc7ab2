// Checks each story of the storybook, and takes its screenshots if a folder for them is named.
import assert from "node:assert/strict";

// The names of the stories, from the storybook's index.
export const storiesOf = (page) => page.locator("li a").evaluateAll((all) => all.map((link) => new URL(link.href).pathname.split("/")[1]));

// What the server sent must be what the script shows: it reads the page again as a document in which nothing runs.
const sent = () => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("GET", location.pathname);
  request.responseType = "document";
  request.onload = () => resolve(request.response);
  request.onerror = reject;
  request.send();
}).then((page) => {
  const text = (from) => [...from.querySelectorAll("main > :not(.verdict), #verdict-text, #verdict li")].map((node) => node.textContent);
  return [text(page), text(document)];
});

// A page in which one story after the other is checked: Chromium takes as long to begin a page as to show it.
export const openStories = (browser) => browser.open("./", { reducedMotion: "reduce" });

export const checkStory = async (browser, page, name, turn) => {
  await page.setViewportSize({ width: 1300, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(new URL(`./${name}/`, browser.base).href);
  await page.locator("#live", { hasText: "Live" }).waitFor();
  await page.getByRole("button", { name: "Pause updates" }).click(); // so that nothing goes away while axe looks at it
  const [plain, live] = await page.evaluate(sent);
  assert.deepEqual(live, plain, "without script the page says something else");
  for (const [i, [width, colorScheme]] of [[1300, "light"], [400, "dark"]].entries()) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `the page is ${wide} wide on ${width}`);
    const cut = await page.locator(".scroll").evaluateAll((all) => all.filter((box) => box.scrollWidth > box.clientWidth).length);
    assert.equal(cut, 0, `${cut} tables don't fit on ${width}`);
    // The stories by turns: axe takes longer than all the rest.
    if (i === turn % 2) await browser.accessible(page, `${name}, ${width} wide, ${colorScheme}`);
    for (const colorScheme of browser.folder ? ["light", "dark"] : []) {
      await page.emulateMedia({ colorScheme });
      await browser.screenshot(page, `${name}-${width}-${colorScheme}`);
    }
  }
};
