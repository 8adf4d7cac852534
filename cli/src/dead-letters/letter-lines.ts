/** Dead letters for people. */
import type { DeadLetter } from '@sluice/core';
import { cut, visible } from '../output/cells.js';
import type { Colours } from '../output/colours.js';
import { labelledLines } from '../output/labelled-lines.js';
import { table } from '../output/table.js';

const ERROR_WIDTH = 72;

export function letterTable(letters: readonly DeadLetter[], colours: Colours, width?: number): string[] {
  const columns = [{ title: 'id' }, { title: 'refused' }, { title: 'code' }, { title: 'why' }];
  const rows = letters.map((letter) => [
    letter.id,
    stageText(letter),
    letter.error.code,
    cut(visible(letter.error.message), ERROR_WIDTH),
  ]);
  return table(columns, rows, colours, width);
}

export function letterLines(letter: DeadLetter, colours: Colours): string[] {
  const { id, flow, sink, stream, split, error, payload, run, at } = letter;
  return [
    colours.bold(id),
    ...labelledLines('stream', `${stream} → ${sink}, flow ${flow}`, colours),
    ...labelledLines('part', split, colours),
    ...labelledLines('stage', `${stageText(letter)}, ${new Date(at).toISOString()}, run ${run}`, colours),
    ...labelledLines('error', `${error.code}: ${error.message}`, colours),
    ...labelledLines('facts', JSON.stringify(error.details), colours),
    '',
    ...JSON.stringify(payload, null, 2).split('\n'),
  ];
}

function stageText({ stage }: DeadLetter): string {
  if (stage === 'read') return 'when read';
  return stage === 'sink' ? 'by the sink' : `by transform ${stage + 1}`;
}
