import { z } from 'zod';
import { mongodb } from './mongodb.ts';
import { redis } from './redis.ts';
import { colour, duration, host, LANGUAGES, language, origin, port, secret, texts, webAddress } from './values.ts';

const listener = (host: string, number: number) =>
  z.strictObject({
    host: z.string().min(1).default(host).describe('Address to listen on'),
    port: port.default(number).describe('Port to listen on; 0 picks a free one'),
  });

const sqlite = z.strictObject({
  engine: z.literal('sqlite').describe('A file on this machine, for a single server'),
  path: z.string().min(1).describe('Database file; relative to the configuration folder'),
});

/** An engine is added as one more member of these unions, or of the one whose half it can be. */
const durableEngine = z.discriminatedUnion('engine', [sqlite, mongodb]);
const ephemeralEngine = z.discriminatedUnion('engine', [sqlite, redis]);

const attempts = (count: number, window: string) =>
  z
    .strictObject({
      count: z.int().positive().default(count).describe('Tries allowed within the window'),
      window: duration.prefault(window).describe('Length of the window'),
    })
    .prefault({});

const ttl = (value: string, what: string) => duration.prefault(value).describe(what);

export const theme = z.strictObject({
  logo: z.string().optional().describe('SVG or PNG file, relative to the configuration folder'),
  accent: colour.optional().describe('Main colour; darkened or lightened where the contrast would fail'),
  background: colour.optional().describe('Page background in light mode'),
  radius: z.enum(['none', 'small', 'medium', 'large']).optional().describe('Roundness of fields and buttons'),
});

/** `vestibule.yaml`, section by section. */
export const serverSchema = z.strictObject({
  issuer: origin.describe('Public address of this server; also the issuer in every token'),

  listen: listener('127.0.0.1', 3000)
    .prefault({})
    .describe('Where the server listens; TLS is the reverse proxy’s work'),
  operations: listener('127.0.0.1', 9464).prefault({}).describe('Health and metrics; never on the public port'),

  proxy: z
    .strictObject({
      trusted: z.array(z.string().min(1)).default([]).describe('Addresses or networks (CIDR) of the reverse proxies'),
      hops: z.int().min(1).max(5).default(1).describe('How many proxies stand in a row'),
    })
    .prefault({})
    .describe('Forwarded headers are believed only from these addresses'),

  master_key: secret(1)
    .optional()
    .describe('32 bytes, base64; as ${env:…} or ${file:…}. Several, one a line: the first seals, all open'),

  storage: z
    .strictObject({
      durable: durableEngine
        .prefault({ engine: 'sqlite', path: '../data/durable.db' })
        .describe('People, credentials, consents, keys, audit: survives a power cut'),
      ephemeral: ephemeralEngine
        .prefault({ engine: 'sqlite', path: '../data/ephemeral.db' })
        .describe('Sessions, codes, counters: survives a crash'),
    })
    .prefault({})
    .describe('Databases'),

  cluster: z
    .boolean()
    .default(false)
    .describe(
      'One of several servers behind a proxy, on the same storage: refuses what serves one server only, and when it is to stop it is unready for three seconds before it takes no more requests',
    ),

  passwords: z
    .strictObject({
      hash: z.enum(['argon2id', 'bcrypt']).default('argon2id').describe('Hash for new passwords'),
      argon2id: z
        .strictObject({
          memory_kib: z.int().min(8192).max(1_048_576).default(19_456).describe('Memory in KiB'),
          iterations: z.int().min(1).max(16).default(2).describe('Passes over the memory'),
          parallelism: z.int().min(1).max(8).default(1).describe('Lanes, each a thread'),
        })
        .prefault({})
        .describe('RFC 9106; `vestibule init` measures what this machine can afford'),
      bcrypt: z
        .strictObject({ cost: z.int().min(10).max(15).default(12).describe('Doubles the work at each step') })
        .prefault({})
        .describe('For people imported with such hashes, or instead of argon2id'),
      min_length: z.int().min(8).max(64).default(15).describe('Characters a new password needs where it stands alone'),
      min_length_with_more: z
        .int()
        .min(8)
        .max(64)
        .default(8)
        .describe('Characters a new password needs where the account has a second factor or a passkey'),
      breach_lookup: z
        .strictObject({
          url: webAddress
            .default('https://api.pwnedpasswords.com/range')
            .describe('Range API; asked with 5 hex digits'),
          timeout: duration.prefault('2s').describe('How long an answer is waited for'),
          on_failure: z
            .enum(['accept', 'refuse'])
            .default('accept')
            .describe('What happens to the password without one'),
        })
        .optional()
        .describe('Asks whether a new password was in a data breach; only a part of its hash leaves this server'),
      queue: z
        .strictObject({
          concurrent: z.int().min(1).optional().describe('Hashes at once; default: cores − 1, at least 1'),
          waiting: z.int().min(1).max(10_000).default(64).describe('Waiting beyond this many: 503 with Retry-After'),
        })
        .prefault({})
        .describe('Keeps hashing from taking all the cores'),
    })
    .prefault({})
    .describe('How passwords are chosen and kept'),

  passkeys: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Whether people can have passkeys'),
      rp_id: host
        .optional()
        .describe('Host name passkeys belong to; default: the issuer’s. A parent domain of it, or see origins'),
      origins: z
        .array(origin)
        .default([])
        .describe(
          'Other sites that may use these passkeys with servers of their own; published at /.well-known/webauthn',
        ),
      user_verification: z
        .enum(['preferred', 'required'])
        .default('preferred')
        .describe('Fingerprint, face or PIN; without it a passkey is one factor only'),
      counter_regression: z
        .enum(['refuse', 'log'])
        .default('refuse')
        .describe('When a signature counter goes back, as a copied key’s would'),
      attestation: z
        .enum(['none', 'direct'])
        .default('none')
        .describe('direct: only models of allowed_aaguids, attested by one of trust_anchors'),
      allowed_aaguids: z.array(z.guid().toLowerCase()).default([]).describe('Models that may be registered'),
      trust_anchors: z
        .array(z.string().min(1))
        .default([])
        .describe('PEM files with the manufacturers’ root certificates, relative to the configuration folder'),
      offer: z
        .strictObject({
          enabled: z.boolean().default(true).describe('Whether one is offered after a sign-in without'),
          again_after: duration.prefault('30d').describe('When a skipped offer returns'),
        })
        .prefault({})
        .describe('The offer to create one'),
    })
    .prefault({})
    .describe('Signing in with fingerprint, face or screen lock (WebAuthn)'),

  totp: z
    .strictObject({
      algorithm: z.enum(['sha1', 'sha256', 'sha512']).default('sha1').describe('Many apps know sha1 only'),
      period: z.int().min(15).max(120).default(30).describe('Seconds a code is shown; many apps know 30 only'),
    })
    .prefault({})
    .describe('Authenticator apps (RFC 6238), for people who set one up from now on'),

  sms: z
    .strictObject({
      url: webAddress.describe('Address of the gateway'),
      headers: z.record(z.string(), secret(1)).default({}).describe('Sent along, such as Authorization, as ${env:…}'),
      encoding: z.enum(['json', 'form']).default('json').describe('Form of the body'),
      body: z
        .record(z.string(), z.string())
        .default({ to: '{{to}}', text: '{{text}}' })
        .describe('Fields of the body; {{to}} is the number, {{text}} the message'),
      per_day: z.int().min(1).max(100).default(10).describe('Messages to one number a day'),
    })
    .optional()
    .describe('Codes by SMS for people with a confirmed number and no app; without this section there are none'),

  trusted_devices: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Whether people may say "Don’t ask on this device"'),
      lifetime: duration.prefault('30d').describe('How long a device is trusted'),
    })
    .prefault({})
    .describe('Browsers in which the second factor is not asked for again'),

  assurance: z
    .strictObject({
      levels: z
        .array(
          z.strictObject({
            acr: z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a name without spaces, quotes or backslashes'),
            requires: z.enum(['one_factor', 'two_factors', 'phishing_resistant', 'hardware']),
          }),
        )
        .nonempty()
        .default([
          { acr: 'https://refeds.org/profile/sfa', requires: 'one_factor' },
          { acr: 'https://refeds.org/profile/mfa', requires: 'two_factors' },
          { acr: 'phr', requires: 'phishing_resistant' },
          { acr: 'phrh', requires: 'hardware' },
        ])
        .describe('Names of the levels (acr), lowest first; each satisfies a demand for those before it'),
    })
    .prefault({})
    .describe('What sign-ins are worth'),

  account: z
    .strictObject({
      proof_age: duration
        .prefault('5m')
        .describe('How long after signing in sensitive changes need no new proof of identity'),
    })
    .prefault({})
    .describe('The account area, where people manage how they sign in'),

  mail: z
    .strictObject({
      from: z.email('an e-mail address').describe('Sender’s address'),
      host: host.describe('SMTP server'),
      port: port.default(587).describe('Its port'),
      tls: z
        .enum(['starttls', 'implicit', 'none'])
        .default('starttls')
        .describe('starttls and implicit refuse to go on unencrypted; none is only for a loopback server'),
      username: z.string().min(1).optional().describe('Account at the SMTP server'),
      password: secret(1).optional().describe('Its password, as ${env:…} or ${file:…}'),
      connections: z
        .int()
        .min(1)
        .max(20)
        .default(1)
        .describe('Mails sent at once; as many may arrive twice when the server is killed'),
    })
    .optional()
    .describe('Where mails to people are sent from; without it none are sent and nobody can choose a new password'),

  recovery: z
    .strictObject({
      mail_usernames: z
        .boolean()
        .default(false)
        .describe('Whether a forgotten username is mailed to the address given; otherwise the page names who helps'),
    })
    .prefault({})
    .describe('What people can do who can’t sign in'),

  limits: z
    .strictObject({
      lockout: z
        .strictObject({
          tries: z.int().min(3).default(5).describe('Wrong passwords in a row; the last one locks'),
          first: duration.prefault('15m').describe('Length of the first lock; each one doubles the next'),
          longest: duration.prefault('24h').describe('Longest lock'),
          memory: duration.prefault('24h').describe('After this long without a try, nothing is held against the name'),
        })
        .prefault({})
        .describe(
          'Signing in to one account with the password; passkeys, known devices and mailed links are not locked',
        ),
      address: attempts(300, '5m').describe('Failed tries from one address (IPv6: one /64)'),
      recovery_address: attempts(20, '15m').describe('Requests for mails from one address'),
      recovery_account: attempts(3, '15m').describe('Links mailed to one account; further requests are not answered'),
    })
    .prefault({})
    .describe('Beyond these: a pause'),

  lifetimes: z
    .strictObject({
      session: ttl('8h', 'Single sign-on session'),
      interaction: ttl('1h', 'Time to finish signing in'),
      access_token: ttl('1h', 'Access token'),
      authorization_code: ttl('1m', 'Authorization code'),
      client_credentials: ttl('10m', 'Access token of the client credentials grant'),
      refresh_token: ttl('14d', 'Refresh token; grants live as long'),
      id_token: ttl('1h', 'ID token'),
      device_code: ttl('10m', 'Device code'),
    })
    .prefault({})
    .describe('How long sessions, codes and tokens live'),

  languages: z
    .strictObject({
      default: language.default('en').describe('Where the browser asks for none that is offered'),
      offered: z
        .array(language)
        .nonempty()
        .default([...LANGUAGES])
        .describe('In the order of the language switch'),
    })
    .prefault({})
    .describe('Languages of the pages'),

  branding: z
    .strictObject({
      name: z.string().min(1).max(80).default('Vestibule').describe('Operator’s name on pages without a client'),
      overlay: z
        .string()
        .optional()
        .describe('Folder of the shape of views/ (and texts/<language>.json) laid over the built-in one'),
      help_url: webAddress.optional().describe('Help page, named in the footer'),
      support_contact: texts.optional().describe('Who helps; a sentence with telephone number or address'),
      theme: theme.prefault({}).describe('Looks of the pages without a client'),
    })
    .prefault({})
    .describe('What people see; a client file may set its own'),

  resource_servers: z
    .record(
      webAddress,
      z.strictObject({
        scopes: z
          .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope without spaces, quotes or backslashes'))
          .default([])
          .describe('Scopes of this API'),
        audience: z.string().optional().describe('aud of its tokens; default: the resource indicator'),
        access_token_format: z.enum(['opaque', 'jwt']).default('jwt'),
        access_token_signing_alg: z.enum(['RS256', 'ES256', 'EdDSA']).default('RS256'),
        access_token_lifetime: duration.optional(),
        clients: z.array(z.string()).optional().describe('Clients that may ask for it; default: all'),
      }),
    )
    .default({})
    .describe('APIs by resource indicator (RFC 8707)'),

  features: z
    .strictObject({
      authorization_post: z
        .boolean()
        .optional()
        .describe(
          'POST to the authorization endpoint (OpenID Connect Core §3.1.2.1); default: on with https, where it makes the session cookie SameSite=None',
        ),
      implicit: z
        .boolean()
        .default(false)
        .describe('Let dynamically registered clients ask for implicit and hybrid response types'),
      device_flow: z
        .strictObject({ enabled: z.boolean().default(false).describe('On or off') })
        .prefault({})
        .describe('Device authorization grant (RFC 8628)'),
      registration: z
        .strictObject({
          enabled: z.boolean().default(false).describe('On or off'),
          initial_access_token: secret(32)
            .optional()
            .describe('Token a registrant must present; without it registration is open to everybody'),
        })
        .prefault({})
        .describe('Dynamic client registration (RFC 7591)'),
      mtls: z
        .strictObject({
          enabled: z.boolean().default(false).describe('On or off'),
          certificate_header: z
            .string()
            .toLowerCase()
            .default('x-client-certificate')
            .describe('Header in which the TLS proxy hands over the client certificate (PEM, URL-encoded)'),
          verified_header: z
            .string()
            .toLowerCase()
            .default('x-client-verify')
            .describe('Header that says SUCCESS when the proxy verified the chain'),
        })
        .prefault({})
        .describe('Client certificates (RFC 8705), ended at the proxy'),
    })
    .prefault({})
    .describe('Parts of the protocol that are off unless wanted'),

  log: z
    .strictObject({
      level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info').describe('Least level written'),
    })
    .prefault({})
    .describe('JSON lines on standard output'),

  development: z
    .strictObject({
      logout_origins: z.array(origin).default([]).describe('Loopback origins that back-channel logout may reach'),
    })
    .optional()
    .describe(
      'Only for a demo or tests on a loopback issuer: allows development secrets. Refused for any other issuer',
    ),
});

export type ServerSettings = z.output<typeof serverSchema>;
export type Theme = z.output<typeof theme>;
