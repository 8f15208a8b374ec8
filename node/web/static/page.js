// Makes the pages nicer: a place to drop a file on, and a button that prints.
// They do all they do without this.
"use strict";

for (const form of document.querySelectorAll("form[data-check]")) {
  const drop = form.querySelector("[data-drop]");
  const file = form.querySelector("input[type=file]");
  form.querySelector("[data-drop-hint]").hidden = false;
  drop.classList.add("can-drop");

  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    drop.addEventListener(name, () => drop.classList.remove("is-over"));
  }
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length === 1) {
      file.files = event.dataTransfer.files;
      form.requestSubmit();
      return;
    }
    const text = event.dataTransfer.getData("text");
    if (text) {
      form.elements.credential.value = text;
      form.requestSubmit();
    }
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

for (const section of document.querySelectorAll("[data-progress]")) {
  const bar = section.querySelector("progress");
  const text = section.querySelector("[data-progress-text]");
  const write = new Intl.NumberFormat(document.documentElement.lang);
  const events = new EventSource(section.dataset.progress);
  events.addEventListener("progress", (event) => {
    const batch = JSON.parse(event.data);
    bar.max = batch.size || 1;
    bar.value = batch.signed;
    text.textContent = `${write.format(batch.signed)} / ${write.format(batch.size)}`;
    if (batch.state !== "signing") {
      events.close();
      location.reload();
    }
  });
}
