// Reads a source file with TypeScript's parser and lists the modules and strings that it names.
import { extname } from 'node:path';
import ts from 'typescript';

/**
 * @typedef {{ text: string, line: number }} Mention a literal and where it stands
 * @typedef {{ modules: Mention[], strings: Mention[] }} Uses
 */

const resolvers = new Set(['require', 'resolve', 'mock', 'doMock', 'importActual', 'importMock']);

/**
 * Lists module specifiers (static and dynamic imports, re-exports, imports of types, `require`,
 * `import.meta.resolve` and the like) and every other string of a file.
 * @param {string} path decides the dialect
 * @param {string} source
 * @returns {Uses}
 */
export function moduleUses(path, source) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true, scriptKind(path));
  const uses = { modules: [], strings: [] };
  const mention = (node) => ({
    text: node.text,
    line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1,
  });
  const visit = (node) => {
    if (ts.isStringLiteralLike(node)) {
      uses.strings.push(mention(node));
      if (namesModule(node)) uses.modules.push(mention(node));
    } else if (ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      uses.strings.push(mention(node));
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return uses;
}

function scriptKind(path) {
  const kinds = { '.tsx': ts.ScriptKind.TSX, '.mjs': ts.ScriptKind.JS, '.js': ts.ScriptKind.JS };
  return kinds[extname(path)] ?? ts.ScriptKind.TS;
}

function namesModule(literal) {
  const parent = literal.parent;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return true;
  if (ts.isExternalModuleReference(parent) || ts.isModuleDeclaration(parent)) return true;
  if (ts.isLiteralTypeNode(parent) && ts.isImportTypeNode(parent.parent)) return true;
  return ts.isCallExpression(parent) && parent.arguments[0] === literal && callsForModule(parent.expression);
}

function callsForModule(callee) {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  if (ts.isIdentifier(callee)) return callee.text === 'require';
  if (!ts.isPropertyAccessExpression(callee) || !resolvers.has(callee.name.text)) return false;
  return ['import.meta', 'require', 'vi'].includes(callee.expression.getText());
}
