import { describe, expect, it } from 'vitest';
import { OutStream, type RawStream } from './out-stream.js';

class Sheet implements RawStream {
  text = '';
  fail: ((error: NodeJS.ErrnoException) => void) | undefined;
  constructor(readonly isTTY = false) {}
  write(text: string, done?: () => void): boolean {
    this.text += text;
    done?.();
    return true;
  }
  on(_event: 'error', listener: (error: NodeJS.ErrnoException) => void): void {
    this.fail = listener;
  }
}

const failure = (code: string) => Object.assign(new Error(code), { code });

describe('an output stream', () => {
  it('redacts text, and JSON before it is quoted', () => {
    const sheet = new Sheet();
    const stream = new OutStream(sheet, {});
    stream.redact = (text) => text.replaceAll('pass"word', '***');
    stream.line('url pass"word');
    stream.json({ url: 'x:pass"word@y', big: 2n ** 60n, small: 7n });
    expect(sheet.text).toBe('url ***\n{"url":"x:***@y","big":"1152921504606846976","small":7}\n');
  });

  it('falls silent when its reader leaves, and says so', async () => {
    const sheet = new Sheet();
    const stream = new OutStream(sheet, {});
    sheet.fail!(failure('EPIPE'));
    sheet.fail!(failure('EPIPE'));
    stream.line('unheard');
    await stream.flushed();
    expect(stream.isGone).toBe(true);
    expect(sheet.text).toBe('');
    expect(stream.failure).toBeUndefined();
  });

  it('keeps a failure that is not the reader leaving', () => {
    const sheet = new Sheet();
    const stream = new OutStream(sheet, {});
    sheet.fail!(failure('ENOSPC'));
    expect(stream.failure?.code).toBe('ENOSPC');
  });

  it('has no width where there is no terminal', () => {
    expect(new OutStream(new Sheet(false), {}).width).toBeUndefined();
    expect(new OutStream(new Sheet(true), {}).width).toBe(100);
  });
});
