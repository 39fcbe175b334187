/** Master keys that are published in this repository: good for the demo on a loopback issuer only. */
export const DEVELOPMENT_MASTER_KEYS: readonly string[] = ['dmVzdGlidWxlLWRlbW8tbWFzdGVyLWtleS1wdWJsaWM='];

/**
 * Whether a secret is one that stands in documentation, in an example or in the demo.
 *
 * @param value a client secret, a master key or an initial access token
 */
export const isDevelopmentSecret = (value: string): boolean =>
  /-demo-secret$/i.test(value.trim()) || /change[-_ ]?me|example/i.test(value);
