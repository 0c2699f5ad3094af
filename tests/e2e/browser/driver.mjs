// Chromium, driven from outside: one JSON line in is one step, one JSON line out is what came of it.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Chromium must speak to nobody but the servers of the test.
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
// The machine may be busy.
const PATIENCE = 60000;

const browser = await chromium.launch({ executablePath: process.argv[2], headless: true, args: QUIET, timeout: PATIENCE });
let page, context, requests, said;

function watch(each) {
  each.setDefaultTimeout(PATIENCE);
  each.on("console", (line) => said.push(line.text()));
  each.on("pageerror", (error) => said.push(`error: ${error.message}`));
}

// {"frame": "iframe", "role": "button", "name": "Connect"}, {"label": "API Token"}, {"text": "..."} or {"css": "..."}
function find({ frame, role, name, label, text, css }) {
  const where = frame ? page.frameLocator(frame) : page;
  if (role) return where.getByRole(role, { name, exact: true });
  if (label) return where.getByLabel(label);
  return text ? where.getByText(text).first() : where.locator(css).first();
}

const STEPS = {
  async fresh({ width = 1280, height = 900, scheme = "light", scripts = true }) {
    await context?.close();
    context = await browser.newContext({
      viewport: { width, height }, colorScheme: scheme, javaScriptEnabled: scripts,
    });
    [requests, said] = [[], []];
    context.on("request", (request) => requests.push(request.url()));
    page = await context.newPage();
    watch(page);
  },
  async goto({ url }) {
    return (await page.goto(url)).status();
  },
  async click({ popup, ...what }) {
    const opened = popup && context.waitForEvent("page");
    await find(what).click();
    if (opened) watch((page = await opened));
  },
  async close() {
    await page.close();
    page = context.pages()[0];
  },
  async focus(what) {
    await find(what).focus();
  },
  async type({ text }) {
    await page.keyboard.type(text);
  },
  async fill({ value, ...what }) {
    await find(what).fill(value);
  },
  async press({ key }) {
    await page.keyboard.press(key);
  },
  async sees(what) {
    await find(what).waitFor({ state: "visible" });
  },
  async text({ css = "body", ...what }) {
    return find({ css, ...what }).innerText();
  },
  async until({ script }) {
    return (await page.waitForFunction(script)).jsonValue();
  },
  async run({ script }) {
    return page.evaluate(script);
  },
  async shoot({ path }) {
    await page.screenshot({ path, fullPage: true });
  },
  async axe() {
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map((each) => each.html) }));
  },
  async requests() {
    return requests;
  },
  async said() {
    return said;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...what } = JSON.parse(line);
  let answer;
  try {
    answer = { given: (await STEPS[step](what)) ?? null };
  } catch (error) {
    answer = { error: `${error.message}\n${(await page?.innerText("body").catch(() => "")) ?? ""}`.slice(0, 3000) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
