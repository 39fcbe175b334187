/**
 * The password: hashing (`hashes.ts`), the bounded queue that keeps the rest of the server fast
 * (`queue.ts`), bcrypt off the main thread (`bcrypt.ts`, `bcrypt-worker.ts`), the factor, and what a new one must
 * be (`rules.ts`): not easily guessed (`strength*.ts`), not stolen before (`breaches.ts`).
 */
export { createPasswordFactor, type PasswordFactor } from './factor.ts';
export { createPasswordRules, type PasswordRules, type RuleProblem } from './rules.ts';
