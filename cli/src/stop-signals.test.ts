import { describe, expect, it } from 'vitest';
import { type SignalSource, type StopSignal, StopSignals } from './stop-signals.js';

class Process implements SignalSource {
  exits: number[] = [];
  private readonly listeners = new Map<StopSignal, (signal: StopSignal) => void>();
  on(signal: StopSignal, listener: (signal: StopSignal) => void): void {
    this.listeners.set(signal, listener);
  }
  removeListener(signal: StopSignal): void {
    this.listeners.delete(signal);
  }
  exit(code: number): void {
    this.exits.push(code);
  }
  send(signal: StopSignal): void {
    this.listeners.get(signal)?.(signal);
  }
}

function start(graceMs = 20) {
  const source = new Process();
  const told: StopSignal[] = [];
  const signals = new StopSignals((signal) => told.push(signal), source, graceMs);
  return { source, told, signals };
}

describe('signals', () => {
  it('end the process while nothing runs', () => {
    const { source, told } = start();
    source.send('SIGINT');
    expect(source.exits).toEqual([130]);
    expect(told).toEqual([]);
  });

  it('ask a run to stop, then to leave, then end it', async () => {
    const { source, told, signals } = start();
    signals.runBegins();
    expect(signals.exitCode).toBeUndefined();
    source.send('SIGTERM');
    expect([signals.stop.aborted, signals.abort.aborted, signals.exitCode]).toEqual([true, false, 143]);
    expect(told).toEqual(['SIGTERM']);
    source.send('SIGINT');
    source.send('SIGINT');
    expect([signals.abort.aborted, signals.exitCode]).toEqual([true, 130]);
    expect(source.exits).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(source.exits).toEqual([130]);
    expect(told).toHaveLength(1);
  });

  it('are of no concern any more when the run is over', async () => {
    const { source, signals } = start();
    signals.runBegins();
    source.send('SIGTERM');
    source.send('SIGTERM');
    signals.dispose();
    source.send('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(source.exits).toEqual([]);
  });
});
