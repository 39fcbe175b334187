import { parentPort } from 'node:worker_threads';
import bcrypt from 'bcryptjs';
import type { BcryptAnswer, BcryptQuestion } from './bcrypt.ts';

// bcryptjs computes in JavaScript; on the main thread it would stall everybody for 100 ms and more.
parentPort?.on('message', (question: BcryptQuestion) => {
  const answer: BcryptAnswer =
    question.verb === 'hash'
      ? { id: question.id, result: bcrypt.hashSync(question.password, question.cost) }
      : { id: question.id, result: bcrypt.compareSync(question.password, question.hash) };
  parentPort?.postMessage(answer);
});
