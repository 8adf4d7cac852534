// Refuses to go on with a Node.js that is older than the packages promise to support.

const oldest = { major: 20, minor: 19 };

/**
 * @param {string} version such as `20.19.0`
 * @returns {string | undefined} what to tell the person, or nothing when the version will do
 */
export function nodeVersionProblem(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return undefined;
  return (
    `Sluice needs Node.js ${oldest.major}.${oldest.minor} or newer, and this is ${version}. ` +
    'Install a newer Node.js (any current release will do) and run the same command again.'
  );
}

/** Ends the process with exit code 2 and a sentence when Node.js is too old. */
export function requireNode() {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem === undefined) return;
  console.error(problem);
  process.exit(2);
}
