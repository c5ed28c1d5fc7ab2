// Takes the pictures of the status page for the README: pictures.mjs BINARY FOLDER. It starts the binary's demo, lets it run for some
// minutes, so that the charts have something to show, and ends it.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./browser.mjs";

const [binary, folder, minutes = "3"] = process.argv.slice(2);
const demo = spawn(binary, ["demo", "--web.listen-address=127.0.0.1:0"], { stdio: ["ignore", "pipe", "ignore"] });
const address = await new Promise((resolve, reject) => {
  let said = "";
  demo.stdout.on("data", (text) => {
    said += text;
    const found = said.match(/http:\/\/\S+\//);
    if (found) resolve(found[0]);
  });
  demo.on("exit", () => reject(new Error(`the demo ended: ${said}`)));
});

try {
  while (!(await fetch(new URL("-/ready", address))).ok) await sleep(200);
  await sleep(Number(minutes) * 60_000);
  const browser = new Browser(address, folder);
  await browser.start();
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.open("./", { colorScheme });
    await page.waitForLoadState("networkidle");
    await browser.screenshot(page, `status-${colorScheme}`);
    await browser.close(page);
  }
  await browser.stop();
} finally {
  demo.kill("SIGTERM");
}
