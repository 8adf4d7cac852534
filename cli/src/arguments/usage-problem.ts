/**
 * What is wrong with a command line. Light on purpose: it becomes a coded error only when there is one to report,
 * so that starting up does not load the SDK.
 */
export class UsageProblem extends Error {
  constructor(
    message: string,
    /** The word that is wrong and the ones that it may have meant. */
    readonly meant?: { readonly wrong: string; readonly names: readonly string[] },
    /** The command whose help says more. */
    readonly command?: string,
  ) {
    super(message);
  }
}
