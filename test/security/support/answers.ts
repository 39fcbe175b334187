import type { IncomingHttpHeaders } from 'node:http';
import { expect } from '@jest/globals';
import type { Page } from '../../support/page.ts';
import type { Vestibule } from '../../support/vestibule.ts';
import type { Answer } from './http.ts';

const STACK = /\bat [\w.<>]+ \(|node_modules|node:internal|\/src\/|\.ts:\d|TypeError|ReferenceError|SQLITE/;
export const REFERENCE = /[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}/;

/** What every answer owes, good or bad: nothing of the inside. */
export function expectDiscreet(headers: IncomingHttpHeaders | Headers, body: string): void {
  const all = headers instanceof Headers ? Object.fromEntries(headers) : headers;
  expect(Object.keys(all)).not.toContain('x-powered-by');
  expect(Object.keys(all)).not.toContain('server');
  expect(body).not.toMatch(STACK);
}

/** What stops a page from being framed and from running anything that was smuggled into it. */
export function expectGuarded(headers: IncomingHttpHeaders | Headers): void {
  const all = headers instanceof Headers ? Object.fromEntries(headers) : headers;
  const policy = String(all['content-security-policy'] ?? '');
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/);
  expect(all['x-content-type-options']).toBe('nosniff');
  expect(all['x-frame-options']).toMatch(/^(SAMEORIGIN|DENY)$/i);
}

/** A page that says clearly what happened, with a number under which the log knows more. */
export async function expectErrorPage(vestibule: Vestibule, page: Page, status: number): Promise<void> {
  expect({ status: page.status, step: page.step }).toEqual({ status, step: 'error' });
  expectDiscreet(page.headers, page.body);
  expectGuarded(page.headers);
  expect(page.headers['cache-control']).toContain('no-store');
  expect(page.heading).not.toBe('');
  expect(page.lang).toBeTruthy();
  const reference = page.textOf((element) => element.name === 'code') ?? '';
  expect(reference).toMatch(REFERENCE);
  await vestibule.logged('request', (line) => line.request_id === reference && line.status === status);
}

/** A page or an OAuth error that says what is wrong, tells nothing of the inside, and has a number for the log. */
export async function expectClear(
  vestibule: Vestibule,
  { status, headers, text }: Answer,
  expected: number,
): Promise<void> {
  expect(status).toBe(expected);
  expectDiscreet(headers, text);
  expect(headers.get('cache-control')).toContain('no-store');
  const reference = headers.get('x-request-id') ?? '';
  expect(reference).toMatch(REFERENCE);
  if (headers.get('content-type')?.startsWith('text/html')) {
    expectGuarded(headers);
    expect(text).toContain('<main data-step="error">');
    expect(text).toContain(reference);
    expect(text).toMatch(/<h1>[^<]{10,}<\/h1>/);
  } else {
    const answer = JSON.parse(text) as Readonly<Record<string, unknown>>;
    expect(answer.error ?? answer.title).toMatch(/^[a-z_.]+$/);
    if (answer.title !== undefined) expect(answer.instance).toBe(`urn:vestibule:request:${reference}`);
  }
  await vestibule.logged('request', (line) => line.request_id === reference && line.status === status);
}
