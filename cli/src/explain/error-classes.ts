/** What the classes of errors mean, in a few words. */
import type { ErrorClass } from '@sluice/sdk';

export const errorClasses: { readonly [C in ErrorClass]: string } = {
  config: 'the job or a setting is wrong; nothing runs',
  auth: 'credentials or permissions are missing; nothing runs',
  contract: 'source, sink and state no longer agree with each other',
  data: 'a row cannot be kept',
  transient: 'may pass by itself; it is tried again with growing pauses',
  throttled: 'a system asked to wait; the run waits',
  internal: 'a defect of Sluice or of a connector',
};
