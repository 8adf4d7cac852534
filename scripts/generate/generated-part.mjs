// The generated part of a page that people write the rest of.

const begin = (name) => `<!-- generated: ${name} (npm run check -- --fix renews it) -->`;
const end = (name) => `<!-- end of generated: ${name} -->`;

/**
 * Puts `content` between the markers of `name` in a page, and leaves everything else as it is. A page without
 * the markers gets them, with the content, at its end.
 */
export function replacePart(page, name, content) {
  const from = page.indexOf(begin(name));
  const to = page.indexOf(end(name));
  const part = `${begin(name)}\n\n${content.trim()}\n\n${end(name)}`;
  if (from < 0 || to < from) return `${page.trimEnd()}\n\n${part}\n`.trimStart();
  return page.slice(0, from) + part + page.slice(to + end(name).length);
}
