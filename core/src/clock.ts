/**
 * The time, as the engine asks for it. What is stored and shown is an instant of the wall clock, which people and time servers
 * set, forwards and backwards. How long something has taken or may take is told by a clock that only rises.
 */
export interface Clock {
  /** Epoch milliseconds. */
  readonly wall: () => number;
  /** Milliseconds since some instant; never less than before. */
  readonly steady: () => number;
}

export const systemClock: Clock = { wall: Date.now, steady: () => performance.now() };
