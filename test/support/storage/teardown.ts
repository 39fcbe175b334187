export { stop as default } from './shared-servers.ts';
