// Makes every file that is made from the code: the job file's JSON Schema, the pages of connectors, transforms,
// errors and commands, and the tables in README.md and of metrics. With --check it writes nothing and fails when one
// is out of date.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './command.mjs';
import { commandReference } from './generate/command-reference.mjs';
import { connectorPart, connectorTable, newConnectorPage } from './generate/connector-page.mjs';
import { duplicateCodes, errorIndex } from './generate/error-index.mjs';
import { replacePart } from './generate/generated-part.mjs';
import { jobPage } from './generate/job-page.mjs';
import { loadProject } from './generate/load-project.mjs';
import { metricTable } from './generate/metric-table.mjs';
import { newTransformPage, transformIndex, transformPart } from './generate/transform-page.mjs';

const checking = process.argv.includes('--check');
const project = await loadProject(root);
const problems = duplicateCodes(project.families);
const files = generatedFiles(project);

for (const [path, text] of files) {
  const before = read(path);
  if (before === text) continue;
  if (checking) problems.push(`${path} is out of date: npm run check -- --fix renews it`);
  else write(path, text);
}
for (const path of strays(files)) {
  if (checking) problems.push(`${path} describes something that is no longer there`);
  else rmSync(join(root, path));
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

/** Every generated file by its path, with its text. */
function generatedFiles({ cli, core, connectors, transforms, families }) {
  const made = new Map();
  const jobSchema = core.jobSchema(connectors.map(({ connector }) => connector));
  made.set('cli/job.schema.json', `${JSON.stringify(jobSchema, null, 2)}\n`);
  for (const loaded of connectors) {
    const path = `docs/connectors/${loaded.connector.name}.md`;
    const page = read(path) ?? newConnectorPage(loaded);
    made.set(path, replacePart(page, 'reference', connectorPart(loaded, cli.configSchema)));
  }
  made.set('docs/connectors/index.md', `# Connectors\n\n${connectorTable(connectors, '.')}\n`);
  for (const transform of transforms) {
    const path = `docs/transforms/${transform.name}.md`;
    const page = read(path) ?? newTransformPage(transform);
    made.set(path, replacePart(page, 'reference', transformPart(transform, cli.configSchema)));
  }
  made.set('docs/transforms/index.md', transformIndex(transforms));
  made.set('docs/errors/index.md', errorIndex(families, core.exitCodeOf, cli.errorClasses));
  made.set('docs/reference/command-line.md', commandReference(cli));
  made.set('docs/reference/job.md', jobPage(jobSchema));
  const metrics = read('docs/metrics.md') ?? '# Metrics\n';
  made.set('docs/metrics.md', replacePart(metrics, 'metrics', metricTable(core.metricFamilies)));
  const readme = read('README.md');
  if (readme !== undefined) {
    made.set('README.md', replacePart(readme, 'connectors', connectorTable(connectors, 'docs/connectors')));
  }
  return made;
}

/** Pages of folders that are made from the code, and whose connector or transform is gone. */
function strays(files) {
  return ['docs/connectors', 'docs/transforms'].flatMap((folder) => {
    if (!existsSync(join(root, folder))) return [];
    return readdirSync(join(root, folder))
      .map((name) => `${folder}/${name}`)
      .filter((path) => path.endsWith('.md') && !files.has(path));
  });
}

function read(path) {
  const full = join(root, path);
  return existsSync(full) ? readFileSync(full, 'utf8') : undefined;
}

function write(path, text) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  console.log(`made ${path}`);
}
