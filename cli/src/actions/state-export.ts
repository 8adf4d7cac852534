import { exportState } from '@sluice/core';
import type { Action } from '../commands/command.js';
import { findState } from '../state/find-state.js';
import { writeJson } from '../state/json-file.js';

export const action: Action = async (input, output) => {
  const { ledger, name = '' } = await findState(input, output, true);
  try {
    const document = await exportState(ledger, name, Date.now());
    const file = input.text('out');
    if (file === undefined) output.stdout.line(JSON.stringify(document, null, output.json ? 0 : 2));
    else await writeJson(file, document);
    return 0;
  } finally {
    await ledger.close();
  }
};
