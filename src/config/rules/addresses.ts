import { isLoopbackAddress, isLoopbackHost, networks } from '../loopback.ts';
import { type Finding, isDevelopment, type Rule, type ServerSubject } from './rule.ts';

const EVERYBODY = /\/0+$/;

const serverRule = (reads: readonly string[], check: Rule<ServerSubject>['check']): Rule<ServerSubject> => ({
  reads,
  check,
});

/** Where the server is reached, and whom it believes about where a request came from. */
export const addressRules: readonly Rule<ServerSubject>[] = [
  // Codes and cookies over plain http can be read and replaced by anybody on the way.
  serverRule(['issuer'], function* ({ settings: { issuer } }) {
    if (new URL(issuer).protocol === 'http:' && !isLoopbackHost(new URL(issuer).hostname)) {
      yield {
        path: ['issuer'],
        message: 'must begin with https://; plain http is only for a loopback host (localhost, 127.0.0.1, [::1])',
      };
    }
  }),

  // Without it every request seems to come from the proxy over http, and limits count one address.
  serverRule(['issuer', 'proxy.trusted'], function* ({ settings: { issuer, proxy } }) {
    if (new URL(issuer).protocol === 'https:' && proxy.trusted.length === 0) {
      yield {
        path: ['proxy', 'trusted'],
        message:
          'who terminates TLS? The issuer is https and this server speaks http: set proxy.trusted to the addresses of the reverse proxy, such as ["127.0.0.1"]',
      };
    }
  }),

  serverRule(['proxy.trusted[]'], function* ({ settings: { proxy } }): Generator<Finding> {
    for (const [index, entry] of proxy.trusted.entries()) {
      const path = ['proxy', 'trusted', index];
      try {
        networks([entry]);
      } catch {
        yield { path, message: 'must be an IP address or a network such as 10.0.0.0/8' };
        continue;
      }
      if (EVERYBODY.test(entry)) {
        yield { path, message: 'trusts every address: anybody can then claim to be anybody', warning: true };
      }
    }
  }),

  serverRule(['listen', 'operations'], function* ({ settings: { listen, operations } }) {
    if (listen.port !== 0 && listen.port === operations.port) {
      yield {
        path: ['operations', 'port'],
        message: 'must differ from listen.port: health and metrics are not for the public port',
      };
    }
  }),

  // The session cookie would have to be SameSite=None, which browsers take over https alone.
  serverRule(['issuer', 'features.authorization_post'], function* ({ settings: { issuer, features } }) {
    if (issuer.startsWith('http:') && features.authorization_post === true) {
      yield {
        path: ['features', 'authorization_post'],
        message: 'needs an https issuer: over http the cookies it takes can not be set',
      };
    }
  }),

  // The certificate comes in a header, which anybody but the proxy could send as well.
  serverRule(['features.mtls', 'proxy.trusted'], function* ({ settings: { features, proxy } }) {
    if (features.mtls.enabled && proxy.trusted.length === 0) {
      yield {
        path: ['features', 'mtls', 'enabled'],
        message: 'needs proxy.trusted: a client certificate is believed only from the proxy that checked it',
      };
    }
  }),

  serverRule(['issuer', 'development'], function* ({ settings }) {
    if (settings.development && !isDevelopment(settings)) {
      yield {
        path: ['development'],
        message:
          'is refused for this issuer: it allows published secrets, so only for http on a loopback host. Remove the section',
      };
    }
  }),

  serverRule(['development.logout_origins[]'], function* ({ settings: { development } }) {
    for (const [index, origin] of (development?.logout_origins ?? []).entries()) {
      if (!isLoopbackAddress(origin)) {
        yield {
          path: ['development', 'logout_origins', index],
          message: 'must be a loopback origin such as http://localhost:3001',
        };
      }
    }
  }),
];
