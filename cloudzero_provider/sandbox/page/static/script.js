/* Keeps the page up to date, and arms and disarms faults. It sends requests to the sandbox alone. */
"use strict";

const PAUSE = 1000;
const content = document.getElementById("content");
const live = document.getElementById("live");
const pauseButton = document.getElementById("pause");
let paused = false;
let timer = null;
let tag = null;
let asked = 0;

document.documentElement.classList.add("script");

/* Makes one element like another, and keeps what has not changed: focus, selection, scroll position, open details. */
function update(old, next) {
  if (old.hasAttribute("data-keep") || (old === document.activeElement && old.tagName === "SELECT")) return;
  for (const { name, value } of [...next.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name) && !(name === "open" && old.tagName === "DETAILS") && !keeps(old, name)) {
      old.removeAttribute(name);
    }
  }
  const value = old.value;
  updateChildren(old, next);
  if (old.tagName === "SELECT") old.value = old.form && old.form.id === "view" ? next.value : value;
}

/* Whether the script itself has set an attribute. */
function keeps(element, name) {
  return name === "hidden" || (name === "disabled" && element.closest("#arm"));
}

function updateChildren(old, next) {
  const wanted = new Set([...next.children].map((child) => child.id).filter(Boolean));
  const known = new Map();
  for (const child of [...old.children]) {
    if (!child.id) continue;
    if (wanted.has(child.id)) known.set(child.id, child);
    else child.remove();
  }
  let place = old.firstChild;
  for (const child of [...next.childNodes]) {
    const match = child.id ? known.get(child.id) : isLike(place, child) ? place : null;
    if (!match) {
      old.insertBefore(child, place);
    } else {
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      if (match.nodeType === Node.ELEMENT_NODE) update(match, child);
      else if (match.nodeValue !== child.nodeValue) match.nodeValue = child.nodeValue;
    }
  }
  while (place) {
    const after = place.nextSibling;
    place.remove();
    place = after;
  }
}

function isLike(place, child) {
  return place && !place.id && place.nodeName === child.nodeName;
}

/* Returns a function that scrolls boxes back to the rows that were on top in them. */
function rememberRows() {
  const tops = [];
  for (const box of document.querySelectorAll(".scroll")) {
    const edge = box.getBoundingClientRect().top;
    const row = box.scrollTop && [...box.querySelectorAll("tr[id]")].find((one) => one.getBoundingClientRect().top >= edge);
    if (row) tops.push([box, row, row.getBoundingClientRect().top - edge]);
  }
  return () => {
    for (const [box, row, top] of tops) {
      const moved = row.getBoundingClientRect().top - box.getBoundingClientRect().top - top;
      if (row.isConnected && moved) box.scrollTop += moved;
    }
  };
}

/* Asks what is new, again a second after the reply, and less often if replies take long. */
async function refresh() {
  clearTimeout(timer);
  const number = ++asked;
  const began = performance.now();
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const reply = await fetch(`/sandbox/page${location.search}`, { headers, cache: "no-store" });
    if (number !== asked) return;
    if (reply.status === 200) {
      const html = await reply.text();
      if (number !== asked) return;
      tag = reply.headers.get("ETag");
      const scrollBack = rememberRows();
      updateChildren(content, new DOMParser().parseFromString(html, "text/html").body);
      scrollBack();
      showFields();
    } else if (reply.status !== 304) {
      throw new Error(reply.status);
    }
    say(paused ? "Paused" : "Live", paused ? "paused" : "");
  } catch {
    say("The sandbox does not reply. Trying again.", "lost");
  }
  if (number === asked && !paused && !document.hidden) {
    timer = setTimeout(refresh, Math.max(PAUSE, 4 * (performance.now() - began)));
  }
}

function say(text, kind) {
  if (live.textContent !== text) live.textContent = text;
  live.className = kind;
}

/* Shows another month or stream without loading the page again. */
function go(query) {
  history.pushState(null, "", query ? `?${query}` : location.pathname);
  tag = null;
  refresh();
}

document.addEventListener("change", (event) => {
  const list = event.target;
  if (list.form && list.form.id === "view") {
    const query = new URLSearchParams(location.search);
    if (list.value) query.set(list.name, list.value);
    else query.delete(list.name);
    for (const [stream, time] of [["stream", "month"], ["telemetry", "period"]]) {
      if (list.name === stream) query.delete(time);
      if (list.name === time) query.set(stream, document.getElementById(`choose-${stream}`).value);
    }
    go(query.toString());
  } else if (list.form && list.form.id === "arm") {
    showFields();
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const address = link && link.getAttribute("href");
  if (address && address.startsWith("?") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    go(address.slice(1));
  } else if (event.target.id === "disarm") {
    change("DELETE");
  } else if (event.target === pauseButton) {
    paused = !paused;
    pauseButton.textContent = paused ? "Continue" : "Pause";
    if (paused) {
      clearTimeout(timer);
      say("Paused", "paused");
    } else {
      refresh();
    }
  }
});

window.addEventListener("popstate", () => {
  tag = null;
  refresh();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !paused) refresh();
});

/* Shows the fields that the chosen kind of fault has. */
function showFields() {
  const form = document.getElementById("arm");
  if (!form) return;
  for (const field of form.querySelectorAll("[data-kinds]")) {
    const unused = !field.dataset.kinds.split(" ").includes(form.elements.kind.value);
    field.hidden = unused;
    field.querySelector("input").disabled = unused;
  }
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "arm") return;
  event.preventDefault();
  const fault = {};
  for (const field of event.target.elements) {
    if (!field.name || field.disabled || field.value === "") continue;
    if (field.name === "of") {
      const [kind] = field.value.split("/", 1);
      fault[kind === "billing" ? "connection_id" : "stream"] = field.value.slice(kind.length + 1);
    } else {
      fault[field.name] = field.type === "number" ? Number(field.value) : field.value;
    }
  }
  if (/^[0-9.]+$/.test(fault.retry_after || "")) fault.retry_after = Number(fault.retry_after);
  change("POST", { faults: [fault] });
});

/* Arms or disarms through the control API, and says what came of it. */
async function change(method, body) {
  const result = document.getElementById("arm-result");
  try {
    const options = body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
    const reply = await fetch("/sandbox/faults", { method, ...options });
    const read = await reply.json();
    result.className = reply.ok ? "good" : "bad";
    result.textContent = reply.ok ? (body ? "Armed." : "Disarmed.") : read.error.message;
  } catch {
    result.className = "bad";
    result.textContent = "The sandbox does not reply.";
  }
  refresh();
}

showFields();
refresh();
