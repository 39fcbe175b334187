/** RFC 5321 §4.5.3.1. */
const LONGEST = 254;
const LONGEST_LOCAL_PART = 64;

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const PLAIN = new RegExp(`^(${ATOM}(?:\\.${ATOM})*)@${LABEL}(?:\\.${LABEL})*$`);

/**
 * Whether it is exactly one address of the plain form (RFC 5321 dot-string and domain): nothing that a mail
 * server or client could read as two, as a name, or as a command. ASCII only, as letters that merely look or
 * fold alike (`ı`, `ſ`) have sent mails to strangers; an international domain is written `xn--…`.
 */
export function isPlainAddress(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > LONGEST) return false;
  const localPart = PLAIN.exec(value)?.[1];
  return localPart !== undefined && localPart.length <= LONGEST_LOCAL_PART;
}
