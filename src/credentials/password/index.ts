/**
 * The password: hashing (`hashes.ts`), the bounded queue that keeps the rest of the server fast
 * (`queue.ts`), bcrypt off the main thread (`bcrypt.ts`, `bcrypt-worker.ts`), and the factor.
 */
export { createPasswordFactor, PASSWORD_MAX_LENGTH, type PasswordFactor } from './factor.ts';
