// A vitest reporter that counts tests for scripts/test.mjs, which reads the file named by
// SLUICE_TEST_COUNTS. A file that does not load, a hook that throws and an error that no test caught
// count as one failure each.
import { writeFileSync } from 'node:fs';

export default class CountingReporter {
  /** Called by vitest once all tests have ended. */
  onTestRunEnd(modules, unhandledErrors) {
    const path = process.env.SLUICE_TEST_COUNTS;
    if (path === undefined) return;
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) countModule(module, counts);
    writeFileSync(path, JSON.stringify(counts));
  }
}

function countModule(module, counts) {
  counts.failed += module.errors().length;
  for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
  for (const test of module.children.allTests()) countTest(module, test, counts);
}

function countTest(module, test, counts) {
  const result = test.result();
  if (result.state === 'passed') counts.passed += 1;
  else if (result.state === 'skipped')
    counts.skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason: result.note });
  else counts.failed += 1;
}
