"use strict";

// Nothing here reads a number: ids beyond 2**53 stay the text that they are.
(() => {
  const byId = (id) => document.getElementById(id);
  const requirements = [...document.querySelectorAll("article.requirement")];
  const failures = [...document.querySelectorAll("details.failure")];
  const filters = [...document.querySelectorAll("select[data-filter]")];
  const search = byId("search");
  const unfold = byId("unfold");
  const texts = new Map(requirements.map((one) => [one, one.textContent.toLowerCase()]));

  const fits = (requirement, words) =>
    filters.every((filter) => filter.value === "" || requirement.dataset[filter.dataset.filter] === filter.value) &&
    words.every((word) => texts.get(requirement).includes(word));

  const show = () => {
    const words = search.value.toLowerCase().split(" ").filter((word) => word !== "");
    const shown = requirements.filter((requirement) => fits(requirement, words));
    for (const requirement of requirements) requirement.hidden = !shown.includes(requirement);
    byId("nothing").hidden = shown.length > 0;
    byId("shown").textContent = `${shown.length} of ${requirements.length} requirements shown`;
  };

  const reset = () => {
    search.value = "";
    for (const filter of filters) filter.value = "";
    show();
  };

  // A link to a requirement must lead there, also when the filter hides it.
  const arrive = () => {
    const target = requirements.find((one) => one.id === decodeURIComponent(location.hash.slice(1)));
    if (target === undefined) return;
    if (target.hidden) reset();
    const first = target.querySelector("details.failure");
    if (first !== null) first.open = true;
    target.scrollIntoView();
  };

  const unfoldAll = () => {
    const open = unfold.getAttribute("aria-expanded") !== "true";
    for (const failure of failures) failure.open = open;
    unfold.setAttribute("aria-expanded", String(open));
    unfold.textContent = open ? "Fold failures" : "Unfold failures";
  };

  // Where the clipboard is not to be had, the command is at least selected.
  const select = (command) => {
    const range = document.createRange();
    range.selectNodeContents(command);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return "Selected";
  };

  const copy = async (command) => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      return "Copied";
    } catch {
      return select(command);
    }
  };

  const offerCopy = (pre) => {
    const frame = document.createElement("div");
    const button = document.createElement("button");
    const said = document.createElement("span");
    frame.className = "copyable";
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    said.className = "unseen";
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      button.textContent = said.textContent = await copy(pre.querySelector("code"));
      setTimeout(() => {
        button.textContent = "Copy";
        said.textContent = "";
      }, 2000);
    });
    pre.before(frame);
    frame.append(pre, button, said);
  };

  // Browsers that cannot unfold by style alone are helped; what was folded is folded again.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = failures.filter((failure) => !failure.open);
    for (const failure of folded) failure.open = true;
  });
  addEventListener("afterprint", () => {
    for (const failure of folded) failure.open = false;
  });

  for (const pre of document.querySelectorAll("pre.command")) offerCopy(pre);
  if (unfold !== null) unfold.addEventListener("click", unfoldAll);
  if (search !== null) {
    byId("filter").hidden = false;
    search.addEventListener("input", show);
    for (const filter of filters) filter.addEventListener("change", show);
    byId("reset").addEventListener("click", reset);
    addEventListener("hashchange", arrive);
    show();
    arrive();
  }
})();
