import { parentPort } from 'node:worker_threads';
import type { StrengthAnswer, StrengthQuestion } from './strength.ts';
import { judge } from './strength-judge.ts';

// zxcvbn looks words up in plain objects, where these two would be found in every dictionary, with no number for a rank.
for (const name of ['constructor', '__proto__']) Reflect.deleteProperty(Object.prototype, name);

// zxcvbn computes for up to a few hundred milliseconds, which on the main thread everybody would wait.
parentPort?.on('message', (question: StrengthQuestion) => {
  parentPort?.postMessage({ verdict: judge(question) } satisfies StrengthAnswer);
});
parentPort?.postMessage({ verdict: 'ready' } satisfies StrengthAnswer);
