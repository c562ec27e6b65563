"use strict";

const EVERY = 1000;
const KIND = {
  SUCCEEDED: "good", FAILED: "bad", CANCELED: "off", IN_PROGRESS: "busy", NOTIFIED: "wait", QUEUED: "wait", CONFIRM: "wait",
  COMPLETED: "good", PLANNED: "wait",
};
const ORDER = ["SUCCEEDED", "FAILED", "CANCELED", "IN_PROGRESS", "NOTIFIED", "QUEUED", "CONFIRM"];
const FIRMWARE = { "-1": ["no verification needed", "good"], 0: ["unverified", "wait"], 1: ["verified", "good"], 2: ["verifying", "busy"], 3: ["failed", "bad"] };

const $ = (id) => document.getElementById(id);
const chosen = new URLSearchParams(location.search).get("job");
let lostSince = null;

function el(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = String(text);
  if (kind) made.className = kind;
  return made;
}

function table(heads, rows, empty) {
  if (!rows.length) return el("p", empty, "empty");
  const made = el("table");
  const head = made.createTHead().insertRow();
  for (const text of heads) { const cell = el("th", text); cell.scope = "col"; head.append(cell); }
  const body = made.createTBody();
  for (const cells of rows) {
    const row = body.insertRow();
    for (const cell of cells) {
      const place = row.insertCell();
      if (cell instanceof Node) place.append(cell); else place.textContent = cell === null || cell === undefined ? "" : String(cell);
    }
  }
  return made;
}

function bar(counts, total) {
  const box = el("div");
  const line = el("div", null, "bar");
  const said = [];
  for (const status of ORDER) {
    const number = counts[status];
    if (!number) continue;
    const part = el("i", null, KIND[status]);
    part.style.width = `${(100 * number) / total}%`;
    line.append(part);
    said.push(`${number.toLocaleString("en")} ${status}`);
  }
  line.setAttribute("role", "img");
  line.setAttribute("aria-label", said.join(", ") || "no devices");
  box.append(line);
  for (const text of said) box.append(el("span", text, "count"), " ");
  return box;
}

const code = (text) => el("code", text);
const clock = (seconds) => new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19);
const more = (list) => (list.total > list.shown.length ? ` The newest ${list.shown.length} of ${list.total.toLocaleString("en")}.` : "");

function jobLink(id) {
  const made = el("a");
  made.href = `/_emulator/console/?job=${encodeURIComponent(id)}`;
  made.append(code(id));
  if (id === chosen) made.setAttribute("aria-current", "true");
  return made;
}

function showJob(answer) {
  $("one-job").hidden = chosen === null;
  if (chosen === null) return;
  $("job").textContent = `Job ${chosen}`;
  if (answer.job === null) { $("job-body").replaceChildren(el("p", "This job does not exist.", "empty")); return; }
  const job = answer.job;
  const rows = answer.shown.map((task) => [
    task.DeviceName, el("span", task.TaskStatus, KIND[task.TaskStatus]), task.Progress === null ? "" : `${task.Progress} %`,
    task.SrcVersion || "none", (task.TaskDesc || "").slice(0, 500), clock(Date.parse(task.UtcModified) / 1000),
  ]);
  const facts = el("p");
  facts.append(kindOf(job), ` of ${job.Version} (firmware `, code(job.FirmwareId), `, product `, code(job.ProductKey), "): ", el("strong", job.JobStatus, KIND[job.JobStatus] || "busy"), `, created ${clock(Date.parse(job.UtcCreate) / 1000)}`);
  $("job-body").replaceChildren(facts, bar(job.Counts, job.Tasks), table(["Device", "Status", "Progress", "From", "Reason", "Changed"], rows, "No device tasks yet."), el("p", answer.total > answer.shown.length ? `${answer.shown.length} of ${answer.total.toLocaleString("en")}; those that are not done first.` : "", "empty"));
}

const kindOf = (job) => (job.JobType === "VERIFY_FIRMWARE" ? "verification" : `upgrade ${job.TargetSelection}`);

function showJobs(jobs) {
  const rows = jobs.shown.map((job) => [
    jobLink(job.JobId), kindOf(job), job.Version,
    el("span", job.JobStatus, KIND[job.JobStatus] || "busy"), bar(job.Counts, job.Tasks),
  ]);
  $("jobs-body").replaceChildren(table(["Job", "Kind", "Version", "Status", "Devices"], rows, "No jobs yet. A verification or an upgrade creates one."), el("p", more(jobs), "empty"));
}

function showFirmwares(firmwares) {
  const rows = firmwares.shown.map((one) => {
    const [text, kind] = FIRMWARE[one.Status] || [one.Status, ""];
    return [code(one.FirmwareId), one.FirmwareName, one.DestVersion, one.ModuleName, el("span", text, kind)];
  });
  $("firmwares-body").replaceChildren(table(["Id", "Name", "Version", "Module", "Status"], rows, "No firmware yet. Upload a file and call CreateOTAFirmware."), el("p", more(firmwares), "empty"));
}

function showRequests(requests) {
  const rows = requests.map((one) => [
    clock(one.at).slice(11), one.action || "?", el("span", one.outcome || "…", one.outcome === "ok" ? "good" : "bad"), one.status, one.user_agent,
  ]);
  $("requests-body").replaceChildren(table(["At", "Operation", "Outcome", "HTTP", "User agent"], rows, "No requests yet."));
}

function showFleet(products) {
  const select = $("product");
  if (select.options.length !== products.length || products.some((one, place) => select.options[place].value !== one.product_key)) {
    select.replaceChildren(...products.map((one) => { const made = el("option", `${one.name} (${one.product_key})`); made.value = one.product_key; return made; }));
  }
  const product = products.find((one) => one.product_key === select.value);
  $("fleet").textContent = product
    ? `${product.online.toLocaleString("en")} of ${product.devices.toLocaleString("en")} online. Versions: ${product.versions.map(([version, number]) => `${version} (${number.toLocaleString("en")})`).join(", ")}`
    : "";
}

function showDevices(devices) {
  const rows = devices.shown.map((one) => {
    const button = el("button", one.online ? "online" : "offline", one.online ? "good" : "off");
    button.setAttribute("aria-label", `${one.name} is ${one.online ? "online, disconnect it" : "offline, connect it"}`);
    button.addEventListener("click", () => command(`devices/${encodeURIComponent($("product").value)}/${encodeURIComponent(one.name)}`, { online: !one.online }));
    const task = one.task ? el("span", `${one.task.status}${one.task.progress === null ? "" : ` ${one.task.progress} %`}`, KIND[one.task.status]) : "";
    const versions = Object.entries(one.versions).map(([module, version]) => (module === "default" ? version : `${module} ${version}`)).join(", ");
    return [one.name, versions || "none", button, one.outcome, task];
  });
  const focused = document.activeElement && document.activeElement.getAttribute("aria-label");
  $("devices-body").replaceChildren(table(["Device", "Version", "Connection", "Outcome", "Task"], rows, "No device matches."), el("p", devices.total > devices.shown.length ? `The first ${devices.shown.length} of ${devices.total.toLocaleString("en")}.` : "", "empty"));
  if (focused) for (const button of $("devices-body").querySelectorAll("button")) if (button.getAttribute("aria-label") === focused) button.focus();
}

function showClock(time) {
  $("time").textContent = `${clock(time.world)} UTC`;
  if (document.activeElement !== $("speed")) $("speed").value = time.speed;
  $("freeze").setAttribute("aria-pressed", String(time.frozen));
  $("freeze").textContent = time.frozen ? "Frozen" : "Freeze";
}

async function ask(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return answer.json();
}

async function command(path, values) {
  try {
    const answer = await fetch(`/_emulator/${path}`, { method: "POST", body: JSON.stringify(values) });
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.error || `HTTP ${answer.status}`);
  } catch (error) {
    $("state").textContent = `Not done: ${error.message}`;
    $("state").className = "lost";
    return;
  }
  await refresh();
}

async function refresh() {
  try {
    const all = await ask("/_emulator/console/overview");
    showFleet(all.products);
    const devices = await ask(`/_emulator/console/devices?product=${encodeURIComponent($("product").value)}&find=${encodeURIComponent($("find").value)}`);
    if (chosen !== null) showJob(await ask(`/_emulator/console/job?id=${encodeURIComponent(chosen)}`));
    showClock(all.clock); showJobs(all.jobs); showFirmwares(all.firmwares); showDevices(devices); showRequests(all.requests);
    const notes = [all.faults ? `${all.faults} faults are set.` : "", ...Object.entries(all.quirks).map(([name, value]) => `Quirk ${name} is ${value}.`)].filter(Boolean);
    $("notes").hidden = !notes.length;
    $("notes").textContent = notes.join(" ");
    lostSince = null;
    document.body.classList.remove("stopped");
    $("state").className = "";
    $("state").textContent = "Live";
  } catch {
    lostSince = lostSince || new Date();
    document.body.classList.add("stopped");
    $("state").className = "lost";
    $("state").textContent = `The emulator has not answered since ${lostSince.toTimeString().slice(0, 8)}; retrying`;
  }
}

async function follow() {
  await refresh();
  setTimeout(follow, EVERY);
}

$("clock").addEventListener("submit", (event) => { event.preventDefault(); command("clock", { speed: Number($("speed").value) }); });
$("freeze").addEventListener("click", () => command("clock", { freeze: $("freeze").getAttribute("aria-pressed") !== "true" }));
$("minute").addEventListener("click", () => command("clock", { advance: 60 }));
$("hour").addEventListener("click", () => command("clock", { advance: 3600 }));
$("filter").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
$("find").addEventListener("input", refresh);
$("product").addEventListener("change", refresh);
follow();
