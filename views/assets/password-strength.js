// One duty: say how a new password is coming along while it is typed. The server judges; nothing is held up here.
const hint = document.getElementById('strength');
const field = document.getElementById('new_password');
// Said at a pause only: a screen reader would talk into every letter.
const PAUSE = 800;
const FEW = 5;

const { min, short, enough, repeats, personal, words } = hint.dataset;
const own = words
  .toLowerCase()
  .split(',')
  .flatMap((word) => [word, ...word.split(/[^\p{L}\p{M}\p{N}]+/u)])
  .filter((word) => word.length > 2)
  .sort((a, b) => b.length - a.length);

const isRepetitive = (characters) => {
  const steps = characters.filter((character, at) => {
    const step = character.codePointAt(0) - (characters[at - 1]?.codePointAt(0) ?? 0);
    return Math.abs(step) < 2;
  });
  const distinct = new Set(characters).size;
  return distinct <= FEW || steps.length * 2 > characters.length || /^(.+)\1+$/su.test(characters.join(''));
};

const sentence = (password) => {
  const characters = [...password];
  if (password === '') return '';
  if (characters.length < min) return short.replace('{count}', min - characters.length);
  if (isRepetitive(characters)) return repeats;
  const rest = own.reduce((left, word) => left.replaceAll(word, ''), password);
  return rest.length * 2 < password.length ? personal : enough;
};

let pause;
field.addEventListener('input', () => {
  clearTimeout(pause);
  pause = setTimeout(() => {
    hint.textContent = sentence(field.value.toLowerCase());
  }, PAUSE);
});
hint.hidden = false;
