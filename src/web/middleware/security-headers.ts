import type { Middleware } from 'koa';
import helmet from 'koa-helmet';

/**
 * Set before anything else answers, so that error pages have them too and so that the protocol
 * library's self-submitting `form_post` page can add the hash of its script to the policy.
 */
export function securityHeaders(https: boolean): Middleware {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'connect-src': ["'self'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
        // No `form-action`: it would also stop the redirect back to the portal after the form.
      },
    },
    // Same-origin, not `no-referrer`: with that, browsers send `Origin: null` from our own forms.
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: https ? { maxAge: 63_072_000, includeSubDomains: false } : false,
    // Opening this server from a portal's script must not sever the portal's pop-up flow…
    crossOriginOpenerPolicy: { policy: 'same-origin-allow-popups' },
    // …and token, userinfo and discovery are there for other origins.
    crossOriginResourcePolicy: false,
    crossOriginEmbedderPolicy: false,
    xPoweredBy: false,
  });
}
