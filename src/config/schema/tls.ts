import { z } from 'zod';

const pem = (what: string) =>
  z.string().min(1).optional().describe(`PEM file ${what}, relative to the configuration folder`);

/** Files of a TLS connection to a storage server. @param whose in the possessive, such as `MongoDB’s` */
export const tlsFiles = (whose: string) => ({
  ca: pem(`with the certificates that ${whose} is signed by; default: those of Node`),
  cert: pem('with the certificate this server shows'),
  key: pem('with its private key'),
});
