/** Where the demo listens, and which environment variable moves it. */
const PORTS = [
  { variable: 'PORT', port: 3000, what: 'Vestibule' },
  { variable: 'PORTALS_PORT', port: 3001, what: 'the demo portals' },
  { variable: 'MAILBOX_PORT', port: 3002, what: 'the mailbox' },
  { variable: 'SMTP_PORT', port: 3025, what: 'the mailbox’s SMTP server' },
  { variable: 'OPERATIONS_PORT', port: 9464, what: 'health and metrics' },
] as const;

export type PortVariable = (typeof PORTS)[number]['variable'];

export interface DemoPort {
  readonly variable: PortVariable;
  readonly port: number;
  /** What listens there. */
  readonly what: string;
  /** Whether it is another than the one that the files in `config/` name. */
  readonly moved: boolean;
}

/** @throws RangeError with a sentence that names the variable whose value is no port */
export function demoPorts(environment: NodeJS.ProcessEnv = process.env): Readonly<Record<PortVariable, DemoPort>> {
  const ports = PORTS.map(({ variable, port, what }): [PortVariable, DemoPort] => {
    const text = environment[variable] || String(port);
    const chosen = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (chosen < 1 || chosen > 65_535)
      throw new RangeError(`${variable} must be a port from 1 to 65535, not "${text}"`);
    return [variable, { variable, port: chosen, what, moved: chosen !== port }];
  });
  return Object.fromEntries(ports) as Record<PortVariable, DemoPort>;
}
