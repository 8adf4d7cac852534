// Small pieces of Markdown.

/** Text for a table's cell: pipes and angle brackets outside of code would be taken for something else. */
export function cell(text) {
  return outsideCode(String(text).replaceAll('\n', ' '), (part) => part.replaceAll('<', '&lt;')).replaceAll(
    '|',
    '\\|',
  );
}

/** Text for a paragraph. */
export function prose(text) {
  return outsideCode(String(text), (part) => part.replaceAll('<', '&lt;'));
}

/** A table; no text at all where there are no rows. */
export function table(titles, rows) {
  if (rows.length === 0) return '';
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(titles),
    `|${titles.map(() => '---').join('|')}|`,
    ...rows.map((row) => line(row.map(cell))),
  ].join('\n');
}

export function code(text) {
  return `\`${text}\``;
}

function outsideCode(text, change) {
  return text
    .split(/(`[^`]*`)/)
    .map((part, i) => (i % 2 === 0 ? change(part) : part))
    .join('');
}
