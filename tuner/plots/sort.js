for (const head of document.querySelectorAll("th.sortable")) head.addEventListener("click", () => {
  const body = head.closest("table").tBodies[0], column = head.cellIndex;
  const up = head.dataset.up !== "1"; head.dataset.up = up ? "1" : "0";
  const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const compare = (a, b) => { const x = Number(key(a)), y = Number(key(b));
    const order = key(a) !== "" && key(b) !== "" && !isNaN(x) && !isNaN(y) ? x - y : key(a).localeCompare(key(b));
    return up ? order : -order; };
  [...body.rows].sort(compare).forEach(row => body.append(row));
});
for (const box of document.querySelectorAll("input.filter")) box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of box.parentElement.querySelector("table").tBodies[0].rows)
    row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
});
