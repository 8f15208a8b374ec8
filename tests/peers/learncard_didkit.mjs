// LearnCard's didkit plugin: a Rust library with its own contexts and its own sockets.
//
// {"verify": credential, "checks": ["proof", ...]} -> {accepted, reasons, checks}
import {createRequire} from 'node:module';
import {answerAll} from './offline.mjs';

// The package is one native module, which only require can load.
const didkit = createRequire(import.meta.url)(
  '@learncard/didkit-plugin-node-linux-x64-gnu');

await answerAll(async ({verify, checks}) => {
  let text;
  try {
    text = await didkit.verifyCredential(
      JSON.stringify(verify), JSON.stringify({checks}), '{}');
  } catch(error) {
    // It could not read the credential at all.
    return {accepted: false, reasons: [error.message], checks: []};
  }
  const result = JSON.parse(text);
  return {
    // A check that was not made is missing from the list: no error is not enough.
    accepted: result.errors.length === 0 && result.warnings.length === 0 &&
      result.checks.length === checks.length,
    reasons: [...result.errors, ...result.warnings],
    checks: result.checks
  };
});
