/** Where the demo listens, and which environment variable moves it. */
const PORTS = [
  { variable: 'PORT', port: 3000, what: 'Vestibule' },
  { variable: 'PORTALS_PORT', port: 3001, what: 'the demo portals' },
  { variable: 'MAILBOX_PORT', port: 3002, what: 'the mailbox' },
  { variable: 'EID_PORT', port: 3003, what: 'the demo eID' },
  { variable: 'SMTP_PORT', port: 3025, what: 'the mailbox’s SMTP server' },
  { variable: 'OPERATIONS_PORT', port: 9464, what: 'health and metrics' },
] as const;

type PortVariable = (typeof PORTS)[number]['variable'];

export interface DemoPort {
  readonly variable: PortVariable;
  readonly port: number;
  /** What listens there. */
  readonly what: string;
}

export interface DemoAddresses {
  readonly ports: Readonly<Record<PortVariable, DemoPort>>;
  /** Vestibule's public address: `ISSUER`, or localhost with its port. */
  readonly issuer: string;
  /** The address Vestibule listens on, when `HOST` says so. */
  readonly host: string | undefined;
  /** Whether the files in `config/` name other addresses than these. */
  readonly moved: boolean;
}

/** @throws RangeError with a sentence that names the variable whose value is no port */
export function demoAddresses(environment: NodeJS.ProcessEnv = process.env): DemoAddresses {
  const ports = PORTS.map(({ variable, port, what }): DemoPort => {
    const text = environment[variable] || String(port);
    const chosen = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (chosen < 1 || chosen > 65_535)
      throw new RangeError(`${variable} must be a port from 1 to 65535, not "${text}"`);
    return { variable, port: chosen, what };
  });
  const byVariable = Object.fromEntries(ports.map((port) => [port.variable, port])) as DemoAddresses['ports'];
  const issuer = environment.ISSUER || `http://localhost:${byVariable.PORT.port}`;
  return {
    ports: byVariable,
    issuer,
    host: environment.HOST || undefined,
    moved:
      issuer !== 'http://localhost:3000' || byVariable.PORTALS_PORT.port !== 3001 || byVariable.EID_PORT.port !== 3003,
  };
}
