/** What came of checking a proof. A problem's code names the sentence the person reads. */
export type VerifyOutcome = { readonly proven: true } | { readonly proven: false; readonly problem: string };
