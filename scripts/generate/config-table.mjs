// A configuration schema as tables: one row a key, nested keys by their path, variants listed below.
import { code, table } from './markdown.mjs';

const longestDefault = 40;

/**
 * @param {import('../../cli/dist/connectors/json-schema.js').JsonSchema} schema
 * @returns {string} Markdown; empty where there are no keys
 */
export function configTable(schema) {
  const rows = [];
  const variants = new Map();
  collect(schema, '', { root: schema, rows, variants, open: [] });
  const parts = [table(['key', 'type', 'default', 'what it is'], rows)];
  for (const [name, { paths, schemas }] of variants) {
    parts.push(`${paths.map(code).join(', ')}: one of these, by ${code(name.split(' ')[0])}:`);
    parts.push(table([code(name.split(' ')[0]), 'keys'], schemas));
  }
  return parts.filter((part) => part !== '').join('\n\n');
}

function collect(schema, path, walk) {
  const { resolved, name } = resolve(schema, walk.root);
  if (name !== undefined && walk.open.includes(name)) return;
  const inner = { ...walk, open: name === undefined ? walk.open : [...walk.open, name] };
  for (const [key, property] of Object.entries(resolved.properties ?? {})) {
    const at = path === '' ? key : `${path}.${key}`;
    walk.rows.push(row(at, property, (resolved.required ?? []).includes(key), walk.root));
    descend(property, at, inner);
  }
}

/** Goes on below a key: into objects, records, lists and variants. */
function descend(schema, path, walk) {
  const { resolved, name } = resolve(schema, walk.root);
  if (resolved.properties) collect(schema, path, walk);
  const record = resolved.additionalProperties;
  if (typeof record === 'object' && Object.keys(record).length > 0) descend(record, `${path}.<name>`, walk);
  if (resolved.items) descend(resolved.items, `${path}[]`, walk);
  const alternatives = resolved.anyOf || resolved.oneOf ? flattenVariants(schema, walk.root) : [];
  for (const option of alternatives) if (!option.properties) descend(option, path, walk);
  const objects = alternatives.filter((option) => option.properties);
  const selector = objects.length > 1 ? selectorOf(objects) : undefined;
  if (selector !== undefined) addVariants(selector, name, objects, path, walk);
  else for (const option of objects) collect(option, path, walk);
}

function addVariants(selector, name, options, path, walk) {
  const key = `${selector} ${name ?? path}`;
  const known = walk.variants.get(key);
  if (known) {
    if (!known.paths.includes(path)) known.paths.push(path);
    return;
  }
  const schemas = options.map((option) => [
    code(option.properties[selector].const),
    keysOf(option, selector, walk.root),
  ]);
  walk.variants.set(key, { paths: [path], schemas });
}

/** The keys of one variant in a sentence. */
function keysOf(option, selector, root) {
  const keys = Object.entries(option.properties).filter(([key]) => key !== selector);
  if (keys.length === 0) return 'none';
  return keys
    .map(([key, schema]) => {
      const needed = (option.required ?? []).includes(key) && schema.default === undefined;
      const standard = defaultText(schema);
      const notes = [typeText(schema, root), needed ? 'required' : '', standard && `default ${standard}`];
      const facts = notes.filter(Boolean).join(', ');
      return `${code(key)} (${facts})${schema.description ? `: ${schema.description.replace(/\.$/, '')}` : ''}`;
    })
    .join('; ');
}

function row(path, schema, required, root) {
  const { resolved } = resolve(schema, root);
  const secret = schema.writeOnly || resolved.writeOnly;
  const standard = defaultText(schema);
  const description = schema.description ?? resolved.description ?? '';
  return [
    code(path),
    `${typeText(schema, root)}${secret ? ', **secret**' : ''}`,
    standard ?? (required && schema.default === undefined ? '**required**' : ''),
    description,
  ];
}

function defaultText({ default: value }) {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value);
  return text.length <= longestDefault ? code(text) : undefined;
}

function typeText(schema, root) {
  const options = flattenVariants(schema, root);
  if (options.length > 1) {
    if (options.every((option) => option.const !== undefined)) {
      return options.map((option) => code(JSON.stringify(option.const))).join(' or ');
    }
    return [...new Set(options.map((option) => typeText(option, root)))].join(' or ');
  }
  const { resolved } = resolve(schema, root);
  if (resolved.const !== undefined) return code(JSON.stringify(resolved.const));
  if (resolved.enum) return resolved.enum.map((value) => code(JSON.stringify(value))).join(' or ');
  if (resolved.type === 'array')
    return `list of ${resolved.items ? typeText(resolved.items, root) : 'anything'}`;
  if (resolved.type === 'object') {
    const record = resolved.additionalProperties;
    return typeof record === 'object' && !resolved.properties ? 'object by name' : 'object';
  }
  if (Array.isArray(resolved.type)) return resolved.type.map((type) => typeText({ type }, root)).join(' or ');
  const names = {
    string: 'text',
    integer: 'whole number',
    number: 'number',
    boolean: 'true or false',
    null: 'null',
  };
  return names[resolved.type] ?? 'anything';
}

function resolve(schema, root) {
  if (schema.$ref === undefined) return { resolved: schema, name: undefined };
  const name = schema.$ref.replace('#/$defs/', '');
  return { resolved: { ...(root.$defs?.[name] ?? {}), ...schema, $ref: undefined }, name };
}

/** The alternatives of a schema, unions within unions included; the schema itself where it has none. */
function flattenVariants(schema, root, open = []) {
  const { resolved, name } = resolve(schema, root);
  if (name !== undefined && open.includes(name)) return [];
  const options = resolved.anyOf ?? resolved.oneOf;
  if (options === undefined) return [resolved];
  return options.flatMap((option) =>
    flattenVariants(option, root, name === undefined ? open : [...open, name]),
  );
}

/** The key whose constant tells objects apart, where all alternatives are such objects. */
function selectorOf(options) {
  const keys = Object.keys(options[0].properties ?? {});
  return keys.find((key) => options.every((option) => option.properties?.[key]?.const !== undefined));
}
