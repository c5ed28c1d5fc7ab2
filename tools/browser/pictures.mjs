// Takes the pictures of the status page in the middle of an incident: pictures.mjs STACK FOLDER. It starts the stack, lets a trunk fail,
// waits until the page says so for good, and ends it.
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./browser.mjs";

const [binary, folder, address = "http://127.0.0.1:9890/"] = process.argv.slice(2);
const stack = spawn(binary, [`--listen=${new URL(address).host}`], { stdio: "inherit" });
stack.on("exit", (code) => { if (code) process.exit(code); });

// Asks until an answer is as wanted.
const until = async (what, ask) => {
  for (let i = 0; i < 600; i++, await sleep(1000)) {
    const found = await ask().catch(() => null);
    if (found) return found;
  }
  throw new Error(`waited in vain for ${what}`);
};

try {
  const page = await until("the stack", async () => (await fetch(address)).text());
  const status = page.match(/href="([^"]+)">the exporter's status page/)[1];
  const verdict = async () => (await (await fetch(new URL("api/v1/status", status))).json()).verdict;
  await until("calls that get through", async () => /^(Calls get through|Some calls fail)/.test((await verdict()).text));
  await fetch(new URL("trunk/fail", address), { method: "POST" });
  await until("a trunk that is down", async () => (await verdict()).findings.some((f) => / of the last 64 attempts failed/.test(f.what)));
  const browser = new Browser(status, folder);
  await browser.start();
  for (const [name, options] of Object.entries({ light: {}, phone: { viewport: { width: 390, height: 844 } } })) {
    const page = await browser.open("./", { timezoneId: "Europe/Berlin", ...options });
    await page.waitForLoadState("networkidle");
    await browser.screenshot(page, `status-${name}`, { fullPage: false });
    await browser.close(page);
  }
  await browser.stop();
} finally {
  stack.kill("SIGTERM");
}
