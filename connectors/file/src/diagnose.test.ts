/** What is in the way of reading and writing files. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fileConfig } from './config.js';
import { createFileSink } from './sink/create-sink.js';
import { context, folder, makeFolder, removeFolder, sourceOf, write } from './source-folder.js';

beforeEach(makeFolder);
afterEach(removeFolder);

it('a source counts the files of its streams, and names the streams that are none', async () => {
  await write({ 'a.csv': 'id\n1\n', 'b.csv': 'id\n1\n' });
  const asked = ['a', 'gone'].map((stream) => ({ stream, mode: 'full' as const }));
  expect(await sourceOf({ path: '.' }).diagnose!(asked, context())).toEqual([
    { level: 'ok', what: `files of ${folder} that can be read: 1` },
    {
      level: 'fail',
      what: `no file at ${folder} is stream gone (SLUICE-FILE-0001)`,
      fix: expect.any(String),
      class: 'config',
    },
  ]);
});

it('a sink looks at its folder, also before that is made', async () => {
  await write({ taken: 'a file' });
  const target = { stream: 'a', target: 'a', write: 'replace' as const, save: 'keep' as const };
  const diagnose = (path: string) => createFileSink(fileConfig.parse({ path })).diagnose([target], context());
  const [finding] = await diagnose('out/deep');
  expect(finding).toEqual({
    level: 'ok',
    what: `${folder}, in which ${join(folder, 'out/deep')} will be made, can be written to`,
  });
  expect(await diagnose('taken/out')).toEqual([
    expect.objectContaining({ level: 'fail', what: `${join(folder, 'taken')} is a file, not a folder` }),
  ]);
});
