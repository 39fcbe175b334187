// One duty: copy or print the recovery codes. Downloading them is a link that works without it.
const list = document.getElementById('codes');
const said = document.getElementById('said');

// The page is also there without a list, to say how many codes are left.
if (list) {
  const [copy, print] = ['copy', 'print'].map((duty) => document.querySelector(`[data-codes=${duty}]`));

  copy.addEventListener('click', async () => {
    const codes = Array.from(list.querySelectorAll('code'), (code) => code.textContent);
    try {
      await navigator.clipboard.writeText(codes.join('\n'));
      said.textContent = said.dataset.copied;
    } catch {
      // Not allowed, or not there: marked, the codes can be copied by hand.
      getSelection().selectAllChildren(list);
      said.textContent = said.dataset.failed;
    }
  });
  print.addEventListener('click', () => globalThis.print());

  for (const button of [copy, print]) button.parentElement.hidden = false;
}
