import type { UpstreamMetadata } from './discovery.ts';
import { UpstreamError, wordOf } from './errors.ts';

/**
 * What came back through the browser (OpenID Connect Core §3.1.2.5, §3.1.2.6), before anything is done with it. The
 * library checks most of it again; here each refusal gets a reason of its own.
 *
 * @throws UpstreamError `parameters`, `state`, `issuer`, `cancelled`, `refused`
 */
export function checkCallback(parameters: URLSearchParams, state: string, metadata: UpstreamMetadata): void {
  const names = [...parameters.keys()];
  if (new Set(names).size !== names.length) throw new UpstreamError('parameters', 'a parameter came twice');
  if (parameters.get('state') !== state) throw new UpstreamError('state', 'the answer is to another request');
  const issuer = parameters.get('iss');
  if (issuer === null && metadata.authorization_response_iss_parameter_supported) {
    throw new UpstreamError('issuer', 'the answer does not say whose it is, though the metadata promises that');
  }
  if (issuer !== null && issuer !== metadata.issuer)
    throw new UpstreamError('issuer', 'the answer is another issuer’s');
  const error = parameters.get('error');
  if (error === 'access_denied') throw new UpstreamError('cancelled', 'the person turned back there');
  if (error !== null) throw new UpstreamError('refused', `the upstream answered with the error ${wordOf(error)}`);
  if (!parameters.get('code')) throw new UpstreamError('parameters', 'the answer has no code');
}
