/** Codes by SMS: a legacy, only where a gateway is configured and for people who have no app yet. */
export { createSmsFactor, type Sending, type SmsFactor } from './factor.ts';
