export { start as default } from './shared-servers.ts';
