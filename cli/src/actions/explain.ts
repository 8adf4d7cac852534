import { resolve } from 'node:path';
import * as core from '@sluice/core';
import * as formats from '@sluice/formats';
import * as sdk from '@sluice/sdk';
import * as transforms from '@sluice/transforms';
import type { Action } from '../commands/command.js';
import { installedConnectors } from '../connectors/installed-connectors.js';
import { cliErrors } from '../errors.js';
import { declaredErrors } from '../explain/declared-errors.js';
import { errorClasses } from '../explain/error-classes.js';
import { findError } from '../explain/find-error.js';
import { registryAt } from '../job/open-job.js';
import { commandLogger } from '../output/command-logger.js';
import { docsPage } from '../output/error-report.js';
import { labelledLines } from '../output/labelled-lines.js';

export const action: Action = async (input, output) => {
  const { stdout } = output;
  const connectors = await installedConnectors(registryAt(resolve()), await commandLogger(output));
  const modules = [
    sdk,
    formats,
    core,
    transforms,
    { cliErrors },
    connectors.map(({ connector }) => connector),
  ];
  const entry = findError(modules.flatMap(declaredErrors), input.positionals[0]!);
  const { code, class: errorClass, title, help } = entry;
  const exitCode = core.exitCodeOf(entry);
  const docs = docsPage(code);
  if (output.json) {
    stdout.json({ code, class: errorClass, title, help, exitCode, docs });
    return 0;
  }
  stdout.line(stdout.colours.bold(code));
  const entries: [string, string][] = [
    ['what', title],
    ['class', `${errorClass}: ${errorClasses[errorClass]} (exit code ${exitCode})`],
    ['do', help],
    ['more', docs],
  ];
  for (const [label, text] of entries)
    for (const line of labelledLines(label, text, stdout.colours, stdout.width)) stdout.line(line);
  return 0;
};
