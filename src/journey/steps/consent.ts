import type { Step } from './step.ts';

/** A third-party client asks; the person allows or refuses. */
export const consent: Step = {
  id: 'consent',
  fields: [],

  async view(_state, { consent: request }) {
    return { ...request };
  },

  async submit() {
    return { facts: { consented: true }, events: [{ event: 'consent.granted' }] };
  },
};
