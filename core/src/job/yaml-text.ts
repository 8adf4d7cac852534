/** YAML 1.2 with positions. Duplicate keys, unknown tags and integers that would be rounded are refused. */
import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { type JobText, type Place, TextError } from './job-text.js';
import type { Path } from './path-text.js';

/** Throws {@link TextError}. */
export function parseYamlText(text: string): JobText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    intAsBigInt: true,
    merge: true,
  });
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const duplicate = problem.code === 'DUPLICATE_KEY';
    throw new TextError(
      duplicate ? 'this key appears twice' : problem.message,
      at(problem.pos[0]),
      duplicate,
    );
  }
  toNumbers(document, at);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new TextError((error as Error).message, { line: 1, column: 1 });
  }
  return {
    value,
    place(path) {
      const offset = offsetOf(document, path);
      return offset === undefined ? undefined : at(offset);
    },
  };
}

/** Integers arrive as bigints, so that none has been rounded; those that fit become numbers. */
function toNumbers(document: Document.Parsed, at: (offset: number) => Place): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'bigint') return;
      const number = Number(node.value);
      if (!Number.isSafeInteger(number)) {
        throw new TextError(
          `${node.value} is too large for a number here; write it in quotes`,
          at(node.range?.[0] ?? 0),
          true,
        );
      }
      node.value = number;
    },
    Map(_key, node) {
      for (const { key } of node.items) {
        if (isScalar(key)) continue;
        throw new TextError('a key must be a plain name', at((key as Node).range?.[0] ?? 0), true);
      }
    },
  });
}

/** Where a path's last key or entry begins. */
function offsetOf(document: Document.Parsed, path: Path): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0];
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1)!;
  if (isMap(parent)) {
    const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
    return (pair?.key as Node | undefined)?.range?.[0];
  }
  return (document.getIn(path, true) as Node | undefined)?.range?.[0];
}
